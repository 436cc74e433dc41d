#include "runtime/plan.h"

#include <algorithm>
#include <set>

#include "base/arena.h"
#include "passes/passes.h"
#include "reader/reader.h"
#include "runtime/shared_places.h"

namespace edge {

std::vector<MissingOp> missing_ops(const Graph& graph) {
  std::vector<MissingOp> missing;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const OpDef* def = find_op(node);
    if (!def) {
      missing.push_back({static_cast<int>(n), node.name(), "this op is not among ours"});
      continue;
    }
    const Status s = def->check(OpView(graph, node));
    if (s.code() == Code::kUnsupported)
      missing.push_back({static_cast<int>(n), node.name(), s.message()});
  }
  return missing;
}

Result<std::shared_ptr<const Plan>> Plan::build(std::shared_ptr<const Model> model, int graph,
                                                const PlanOptions& options) {
  auto plan = std::make_shared<Plan>();
  plan->graph_ = model->graphs[static_cast<size_t>(graph)];
  plan->model_ = std::move(model);
  Graph& g = plan->graph_;
  for (const auto& [value, shape] : options.input_shapes) {
    if (std::find(g.inputs.begin(), g.inputs.end(), value) == g.inputs.end()) {
      return invalid_argument(format("tensor %d is no input, so its shape cannot be set", value));
    }
    TensorSpec& spec = g.values[static_cast<size_t>(value)].spec;
    const Result<size_t> bytes = byte_size(spec.dtype, shape);
    if (!bytes.ok())
      return invalid_argument("input " + std::to_string(value) + ": " + bytes.status().message());
    spec.shape = shape;
  }
  EDGE_TRY(run_passes(&g, options.preserve_all));
  EDGE_TRY(plan->prepare_steps(options.kernels));
  EDGE_TRY(plan->place_values(options.preserve_all));
  drop_pages(*plan->model_);
  return std::shared_ptr<const Plan>(std::move(plan));
}

Status Plan::prepare_steps(const std::map<int, std::string>& kernels) {
  std::set<int> used;
  for (const Node& node : graph_.nodes) {
    PrepareContext context(graph_, node);
    const auto wanted = node.origin.empty() ? kernels.end() : kernels.find(node.origin[0]);
    if (wanted != kernels.end()) context.wanted = wanted->second;
    Step step;
    step.def = find_op(node);
    const Status s = step.def->prepare(context);
    if (!s.ok()) {
      return s.at(
          format("op %d %.100s", node.origin.empty() ? -1 : node.origin[0], node.name().c_str()));
    }
    if (wanted != kernels.end() && context.kernel != wanted->second) {
      return invalid_argument(format("op %d %.100s: no kernel %.100s for it here", wanted->first,
                                     node.name().c_str(), wanted->second.c_str()));
    }
    if (wanted != kernels.end()) used.insert(wanted->first);
    step.state = std::move(context.state);
    step.op = node.name();
    step.kernel = std::move(context.kernel);
    step.candidates = std::move(context.candidates);
    step.nodes = node.origin;
    step.inputs = node.inputs;
    step.outputs = node.outputs;
    step.scratch_per_worker = align_up(context.scratch_per_worker);
    step.packed_bytes = context.packed_bytes;
    step.pieces = context.pieces;
    if (step.def->macs) step.macs = step.def->macs(context);
    scratch_per_worker_ = std::max(scratch_per_worker_, step.scratch_per_worker);
    scratch_shared_ = std::max(scratch_shared_, context.scratch_shared);
    steps_.push_back(std::move(step));
  }
  if (used.size() != kernels.size())
    return invalid_argument("a kernel is named for an op that does not run");
  return {};
}

size_t Plan::weight_bytes() const {
  size_t bytes = 0;
  for (const Step& s : steps_) bytes += s.packed_bytes;
  return bytes;
}

Status Plan::place_values(bool preserve_all) {
  const size_t count = graph_.values.size();
  places_.assign(count, {});
  for (size_t i = 0; i < count; ++i) {
    const Value& v = graph_.values[i];
    if (v.constant) {
      places_[i].kind = Place::kConstant;
      places_[i].data = v.data.data();
    } else if (v.variable) {
      EDGE_ASSIGN(const size_t bytes, byte_size(v.spec.dtype, v.spec.shape));
      places_[i].kind = Place::kVariable;
      places_[i].offset = variable_bytes_;
      variable_bytes_ = (Bytes(variable_bytes_) + align_up(Bytes(bytes) + kOverread)).count();
    }
  }
  // Kernels may read on behind an activation. A constant one, rare as it is, gets room for that.
  for (const Step& step : steps_) {
    const int value = step.kernel.empty() || step.inputs.empty() ? kAbsent : step.inputs[0];
    if (value == kAbsent || places_[static_cast<size_t>(value)].kind != Place::kConstant) continue;
    const Span<const uint8_t> data = graph_.values[static_cast<size_t>(value)].data;
    constants_.emplace_back(data.size());
    if (!constants_.back().data()) return Status(Code::kResource, "no memory for a constant");
    std::copy(data.begin(), data.end(), constants_.back().data());
    places_[static_cast<size_t>(value)].data = constants_.back().data();
  }
  if (preserve_all) {
    std::vector<SharedPlace> own;
    for (size_t i = 0; i < count; ++i) own.push_back({static_cast<int>(i), 0});
    return lay_out(own, true);
  }
  const std::vector<Place> given = places_;
  EDGE_TRY(lay_out(share_places(graph_, steps_, given, true), false));
  const bool any_pieces = std::any_of(steps_.begin(), steps_.end(),
                                      [](const Step& s) { return s.pieces.kind != Pieces::kNone; });
  if (!any_pieces) return {};
  // A joined value takes room from its first piece on. Where that needs a larger arena, pieces are
  // copied.
  const std::vector<Place> joined = places_;
  const size_t joined_bytes = arena_bytes_;
  places_ = given;
  EDGE_TRY(lay_out(share_places(graph_, steps_, given, false), false));
  if (arena_bytes_ < joined_bytes) return {};
  places_ = joined;
  arena_bytes_ = joined_bytes;
  return {};
}

// Lifetimes of the places, and where in the arena each lies.
Status Plan::lay_out(const std::vector<SharedPlace>& shared, bool preserve_all) {
  const size_t count = shared.size();
  const int last_step = static_cast<int>(steps_.size());
  std::vector<Lifetime> lifetimes(count);
  std::vector<char> used(count, 0);
  auto touch = [&](int value, int first, int last) -> Status {
    const size_t r = static_cast<size_t>(shared[static_cast<size_t>(value)].root);
    if (places_[r].kind != Place::kNone) return {};
    const TensorSpec& spec = graph_.values[r].spec;
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
  for (int i : graph_.inputs) EDGE_TRY(touch(i, 0, last_step));
  for (int o : graph_.outputs) EDGE_TRY(touch(o, 0, last_step));
  for (size_t n = 0; n < steps_.size(); ++n) {
    const int now = static_cast<int>(n);
    for (int o : steps_[n].outputs)
      EDGE_TRY(touch(o, preserve_all ? 0 : now, preserve_all ? last_step : now));
    for (int i : steps_[n].inputs) {
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
  arena_bytes_ = plan_memory(&packed);
  for (size_t k = 0; k < packed.size(); ++k) {
    Place& p = places_[owner[k]];
    p.kind = Place::kArena;
    p.offset = packed[k].offset;
    p.first = packed[k].first;
    p.last = packed[k].last;
  }
  for (size_t i = 0; i < count; ++i) {
    if (shared[i].root == static_cast<int>(i)) continue;
    places_[i] = places_[static_cast<size_t>(shared[i].root)];
    places_[i].offset += shared[i].offset;
  }
  return {};
}

}  // namespace edge
