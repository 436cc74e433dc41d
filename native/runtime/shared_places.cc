#include "runtime/shared_places.h"

#include <algorithm>

namespace edge {
namespace {

class Sharing {
 public:
  Sharing(const Graph& graph, const std::vector<Access>& steps, const std::vector<Place>& places)
      : graph_(graph), last_read_(places.size(), 0), fixed_(places.size(), 0) {
    for (size_t i = 0; i < places.size(); ++i) {
      shared_.push_back({static_cast<int>(i), 0});
      fixed_[i] = places[i].kind != Place::kNone;
    }
    for (int i : graph.inputs) fixed_[static_cast<size_t>(i)] = 1;
    for (size_t n = 0; n < steps.size(); ++n) {
      for (int i : steps[n].inputs) {
        if (i != kAbsent) last_read_[static_cast<size_t>(i)] = static_cast<int>(n);
      }
    }
    for (int o : graph.outputs) {
      last_read_[static_cast<size_t>(o)] = static_cast<int>(steps.size());
    }
  }

  void rename(const Access& step) {
    if (!fixed(step.inputs[0])) put(step.outputs[0], step.inputs[0], 0);
  }

  void work_in_place(const Access& step, int now) {
    const TensorSpec& y = spec(step.outputs[0]);
    for (int input : step.inputs) {
      if (input == kAbsent || fixed(input)) continue;
      const TensorSpec& x = spec(input);
      const bool fits = x.dtype == y.dtype && x.shape.count() == y.shape.count();
      if (!fits || last_read_[at(find(input).root)] > now) continue;
      return put(step.outputs[0], input, 0);
    }
  }

  void join(const Access& step) {
    const int whole = step.outputs[step.pieces.whole];
    size_t offset = 0;
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const int piece = step.inputs[i];
      const SharedPlace p = find(piece);
      // A place can move into another one only as a whole, and only once.
      if (!fixed(piece) && p.root != whole && p.offset == 0 && bytes(p.root) == bytes(piece)) {
        put(p.root, whole, offset);
      }
      offset += bytes(piece);
    }
  }

  void cut(const Access& step) {
    const int whole = step.inputs[step.pieces.whole];
    if (fixed(whole)) return;
    size_t offset = 0;
    for (int piece : step.outputs) {
      put(piece, whole, offset);
      offset += bytes(piece);
    }
  }

  std::vector<SharedPlace> result() const {
    std::vector<SharedPlace> all;
    for (size_t i = 0; i < shared_.size(); ++i) all.push_back(find(static_cast<int>(i)));
    return all;
  }

 private:
  static size_t at(int value) { return static_cast<size_t>(value); }
  const TensorSpec& spec(int value) const { return graph_.values[at(value)].spec; }
  size_t bytes(int value) const { return *byte_size(spec(value).dtype, spec(value).shape); }
  bool fixed(int value) const { return fixed_[at(find(value).root)] != 0; }

  SharedPlace find(int value) const {
    SharedPlace p = shared_[at(value)];
    while (shared_[at(p.root)].root != p.root) {
      const SharedPlace& next = shared_[at(p.root)];
      p = {next.root, p.offset + next.offset};
    }
    return p;
  }

  void put(int value, int where, size_t offset) {
    const SharedPlace p = find(where);
    shared_[at(value)] = {p.root, p.offset + offset};
    last_read_[at(p.root)] = std::max(last_read_[at(p.root)], last_read_[at(value)]);
  }

  const Graph& graph_;
  std::vector<SharedPlace> shared_;
  std::vector<int>
      last_read_;  // the last step that reads a value, or, for a root, any in its place
  std::vector<char> fixed_;
};

}  // namespace

std::vector<SharedPlace> share_places(const Graph& graph, const std::vector<Access>& steps,
                                      const std::vector<Place>& places, bool pieces) {
  Sharing sharing(graph, steps, places);
  for (size_t n = 0; n < steps.size(); ++n) {
    const Access& step = steps[n];
    if (step.alias) sharing.rename(step);
    if (step.in_place) sharing.work_in_place(step, static_cast<int>(n));
    if (pieces && step.pieces.kind == Pieces::kInputs) sharing.join(step);
    if (pieces && step.pieces.kind == Pieces::kOutputs) sharing.cut(step);
  }
  return sharing.result();
}

}  // namespace edge
