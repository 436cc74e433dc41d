#include "runtime/layout.h"

#include <algorithm>

#include "base/arena.h"
#include "runtime/memory.h"
#include "runtime/shared_places.h"

namespace edge {

namespace {

// Lifetimes of the places, and where in the arena each lies.
Status place(const Graph& graph, const std::vector<Access>& steps,
             const std::vector<SharedPlace>& shared, bool preserve_all, Layout* layout) {
  const size_t count = shared.size();
  const int last_step = static_cast<int>(steps.size());
  std::vector<Place>& places = layout->places;
  std::vector<Lifetime> lifetimes(count);
  std::vector<char> used(count, 0);
  auto touch = [&](int value, int first, int last) -> Status {
    const size_t r = static_cast<size_t>(shared[static_cast<size_t>(value)].root);
    if (places[r].kind != Place::kNone || graph.values[r].open) return {};
    const TensorSpec& spec = graph.values[r].spec;
    EDGE_ASSIGN(const size_t bytes, byte_size(spec.dtype, spec.shape));
    Lifetime& l = lifetimes[r];
    if (!used[r]) l.first = first;
    used[r] = 1;
    l.first = std::min(l.first, first);
    l.last = std::max(l.last, last);
    l.bytes = std::max(l.bytes, bytes);
    return {};
  };
  // Inputs keep what the caller wrote, and outputs what the last run gave: they live throughout.
  for (int i : graph.inputs) EDGE_TRY(touch(i, 0, last_step));
  for (int o : graph.outputs) EDGE_TRY(touch(o, 0, last_step));
  for (size_t n = 0; n < steps.size(); ++n) {
    const int now = static_cast<int>(n);
    for (int o : steps[n].outputs)
      EDGE_TRY(touch(o, preserve_all ? 0 : now, preserve_all ? last_step : now));
    for (int i : steps[n].inputs) {
      if (i != kAbsent) EDGE_TRY(touch(i, now, now));
    }
  }
  std::vector<Lifetime> packed;
  std::vector<size_t> owner;
  for (size_t i = 0; i < count; ++i) {
    if (!used[i]) continue;
    packed.push_back(lifetimes[i]);
    owner.push_back(i);
  }
  layout->arena_bytes = plan_memory(&packed);
  for (size_t k = 0; k < packed.size(); ++k) {
    Place& p = places[owner[k]];
    p.kind = Place::kArena;
    p.offset = packed[k].offset;
    p.first = packed[k].first;
    p.last = packed[k].last;
  }
  for (size_t i = 0; i < count; ++i) {
    if (shared[i].root == static_cast<int>(i)) continue;
    places[i] = places[static_cast<size_t>(shared[i].root)];
    places[i].offset += shared[i].offset;
  }
  return {};
}

}  // namespace

Result<Layout> lay_out(const Graph& graph, const std::vector<Access>& steps, bool preserve_all) {
  const size_t count = graph.values.size();
  Layout layout;
  std::vector<Place>& places = layout.places;
  places.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const Value& v = graph.values[i];
    if (v.constant) {
      places[i].kind = Place::kConstant;
      places[i].data = v.data.data();
    } else if (v.variable) {
      EDGE_ASSIGN(const size_t bytes, byte_size(v.spec.dtype, v.spec.shape));
      places[i].kind = Place::kVariable;
      places[i].offset = layout.variable_bytes;
      layout.variable_bytes =
          (Bytes(layout.variable_bytes) + align_up(Bytes(bytes) + kOverread)).count();
    }
  }
  if (preserve_all) {
    std::vector<SharedPlace> own;
    for (size_t i = 0; i < count; ++i) own.push_back({static_cast<int>(i), 0});
    EDGE_TRY(place(graph, steps, own, true, &layout));
    return layout;
  }
  Layout joined = layout;
  EDGE_TRY(place(graph, steps, share_places(graph, steps, places, true), false, &joined));
  const bool any_pieces = std::any_of(
      steps.begin(), steps.end(), [](const Access& s) { return s.pieces.kind != Pieces::kNone; });
  if (!any_pieces) return joined;
  // A joined value takes room from its first piece on. Where that needs a larger arena, pieces are
  // copied.
  EDGE_TRY(place(graph, steps, share_places(graph, steps, places, false), false, &layout));
  return layout.arena_bytes < joined.arena_bytes ? layout : joined;
}

}  // namespace edge
