#include "runtime/plan.h"

#include <algorithm>
#include <set>

#include "base/arena.h"
#include "base/cpu.h"
#include "passes/passes.h"
#include "reader/reader.h"
#include "runtime/calls.h"
#include "runtime/chain.h"
#include "runtime/guard.h"

namespace edge {

std::vector<MissingOp> missing_ops(const Graph& file) {
  std::vector<MissingOp> missing;
  Graph graph = file;
  (void)widen_halves(&graph);  // what it cannot do is missing below
  for (const Node& node : graph.nodes) {
    const int n = node.origin.empty() ? -1 : node.origin[0];
    const OpDef* def = find_op(node);
    if (!def) {
      missing.push_back({n, node.name(), why_missing(node)});
      continue;
    }
    const Status s = def->check(OpView(graph, node));
    if (s.code() == Code::kUnsupported) missing.push_back({n, node.name(), s.message()});
  }
  return missing;
}

std::vector<MissingOp> missing_ops(const Model& model, int graph) {
  const Graph& g = model.graphs[static_cast<size_t>(graph)];
  std::vector<MissingOp> missing = missing_ops(g);
  std::set<int> seen;
  for (size_t n = 0; n < g.nodes.size(); ++n) {
    std::vector<int> called = callees(g.nodes[n]);
    for (size_t i = 0; i < called.size(); ++i) {
      if (!seen.insert(called[i]).second) continue;
      const Graph& inner = model.graphs[static_cast<size_t>(called[i])];
      for (const MissingOp& op : missing_ops(inner)) {
        missing.push_back(
            {static_cast<int>(n), op.op,
             format("subgraph %d, op %d: %s", called[i], op.node, op.reason.c_str())});
      }
      for (const Node& node : inner.nodes) {
        for (int next : callees(node)) called.push_back(next);
      }
    }
  }
  return missing;
}

Result<std::shared_ptr<const Plan>> Plan::build(std::shared_ptr<const Model> model, int graph,
                                                const PlanOptions& options) {
  return guarded([&]() -> Result<std::shared_ptr<const Plan>> {
    Planner planner(model, options);
    return build(model, graph, options, &planner);
  });
}

Result<std::shared_ptr<const Plan>> Plan::build(std::shared_ptr<const Model> model, int graph,
                                                const PlanOptions& options, Planner* planner) {
  auto plan = std::make_shared<Plan>();
  plan->limits_ = options.limits;
  plan->preserve_all_ = options.preserve_all;
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
  if (options.open_inputs) {
    for (int i : g.inputs) g.values[static_cast<size_t>(i)].open = true;
  }
  const std::vector<Graph>& graphs = plan->model_->graphs;
  EDGE_TRY(inline_composites(graphs, options.limits.tensors, &g));
  if (g.values.size() > static_cast<size_t>(options.limits.tensors)) {
    return beyond("tensors", static_cast<double>(options.limits.tensors),
                  format("the graph has %zu tensors", g.values.size()));
  }
  if (options.input_shapes.empty() && !options.open_inputs) fix_variables(graphs, &g);
  EDGE_TRY(widen_halves(&g));
  EDGE_TRY(run_passes(&g, options.preserve_all,
                      [planner](const Graph& caller, Node* node, std::vector<Shape>* shapes) {
                        return planner->plan_calls(caller, node, shapes);
                      }));
  EDGE_TRY(plan->prepare_steps(options.kernels));
  if (!options.preserve_all) {
    const size_t tile = options.tile_bytes ? options.tile_bytes : l2_cache_bytes() / 2;
    EDGE_TRY(join_chains(g, tile, &plan->steps_));
  }
  for (const Step& step : plan->steps_) {
    plan->scratch_per_worker_ = std::max(plan->scratch_per_worker_, step.scratch_per_worker);
    plan->scratch_shared_ = std::max(plan->scratch_shared_, step.scratch_shared);
  }
  EDGE_ASSIGN(plan->layout_, lay_out(g, accesses(plan->steps_), options.preserve_all));
  for (Step& step : plan->steps_) {
    step.kept = plan->layout_.variable_bytes;
    plan->layout_.variable_bytes = (Bytes(step.kept) + align_up(Bytes(step.kept_bytes))).count();
  }
  EDGE_TRY(plan->copy_constants());
  drop_pages(*plan->model_);
  return std::shared_ptr<const Plan>(std::move(plan));
}

namespace {

// kLater where a step can be prepared only while running.
Status prepare(const OpDef& def, PrepareContext& op) {
  const Node& node = op.node();
  const auto is_open = [&](int i) {
    return i != kAbsent && op.graph().values[static_cast<size_t>(i)].open;
  };
  if (def.calls) {
    op.state = node.callees;
    return {};
  }
  if (std::any_of(node.inputs.begin(), node.inputs.end(), is_open) ||
      std::any_of(node.outputs.begin(), node.outputs.end(), is_open)) {
    return known_later("its shapes");
  }
  return def.prepare(op);
}

}  // namespace

Status Plan::prepare_steps(const std::map<int, std::string>& kernels) {
  std::set<int> used;
  for (const Value& v : graph_.values) any_open_ = any_open_ || v.open;
  for (size_t n = 0; n < graph_.nodes.size(); ++n) {
    const Node& node = graph_.nodes[n];
    PrepareContext context(graph_, node);
    const auto wanted = node.origin.empty() ? kernels.end() : kernels.find(node.origin[0]);
    if (wanted != kernels.end()) context.wanted = wanted->second;
    Step step;
    step.def = find_op(node);
    // A user's op may have been taken back since shapes were inferred.
    const Status s = step.def ? prepare(*step.def, context) : unsupported(why_missing(node));
    if (s.code() == Code::kLater) {
      any_open_ = step.open = true;

    } else if (!s.ok()) {
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
    step.rows = context.rows;
    step.node = n;
    step.nodes = node.origin;
    step.inputs = node.inputs;
    step.outputs = node.outputs;
    step.scratch_per_worker = align_up(context.scratch_per_worker);
    step.scratch_shared = context.scratch_shared;
    step.packed_bytes = context.packed_bytes;
    step.pieces = context.pieces;
    step.kept_bytes = context.kept_bytes;
    if (step.def->macs && !step.open) step.macs = step.def->macs(context);
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

// Kernels may read on behind an activation. A constant one, rare as it is, gets room for that.
Status Plan::copy_constants() {
  for (const Step& step : steps_) {
    const int value = step.kernel.empty() || step.inputs.empty() ? kAbsent : step.inputs[0];
    if (value == kAbsent || layout_.places[static_cast<size_t>(value)].kind != Place::kConstant)
      continue;
    const Span<const uint8_t> data = graph_.values[static_cast<size_t>(value)].data;
    constants_.emplace_back(data.size());
    if (!constants_.back().data()) return Status(Code::kResource, "no memory for a constant");
    std::copy(data.begin(), data.end(), constants_.back().data());
    layout_.places[static_cast<size_t>(value)].data = constants_.back().data();
  }
  return {};
}

}  // namespace edge
