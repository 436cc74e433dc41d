#include "runtime/calls.h"

#include <algorithm>
#include <cstring>

#include "runtime/execution.h"

namespace edge {
namespace {

// Plans that one model may take: graphs that call graphs from several places are planned for each.
constexpr int kMostPlans = 4096;

bool any_open(const Graph& graph, const std::vector<int>& values) {
  return std::any_of(values.begin(), values.end(),
                     [&](int i) { return graph.values[static_cast<size_t>(i)].open; });
}

const TensorSpec& spec_of(const Graph& graph, int value) {
  return graph.values[static_cast<size_t>(value)].spec;
}

// `from` can be given where `to` is wanted.
Status expect_types(const Graph& from, const int* values, size_t count, const Graph& to,
                    const std::vector<int>& wanted, const char* what) {
  if (wanted.size() != count) {
    return invalid_model(format("it has %zu %s, its subgraph %zu", count, what, wanted.size()));
  }
  for (size_t i = 0; i < count; ++i) {
    const DType have = spec_of(from, values[i]).dtype, want = spec_of(to, wanted[i]).dtype;
    if (have != want) {
      return invalid_model(
          format("%s %zu is %s, its subgraph has %s", what, i, dtype_name(have), dtype_name(want)));
    }
  }
  return {};
}

bool same_shapes(const Graph& a, const std::vector<int>& x, const Graph& b, const int* y) {
  for (size_t i = 0; i < x.size(); ++i) {
    if (spec_of(a, x[i]).shape != spec_of(b, y[i]).shape) return false;
  }
  return true;
}

Status truth(const Execution& from, int value, bool* is_true) {
  const TensorSpec& spec = from.spec(value);
  if (spec.dtype != DType::kBool || spec.shape.count() != 1) {
    return invalid_argument(format("its condition is %s%s, wanted one bool", dtype_name(spec.dtype),
                                   to_string(spec.shape).c_str()));
  }
  *is_true = *from.data(value) != 0;
  return {};
}

Status copy(const Execution& from, const int* source, Execution& to,
            const std::vector<int>& where) {
  for (size_t i = 0; i < where.size(); ++i) {
    EDGE_TRY(to.receive(where[i], from, source[i]));
  }
  return {};
}

// The number of a branch; of the last one where there is none of that number.
Status choice(const Execution& from, int value, size_t count, size_t* branch) {
  const TensorSpec& spec = from.spec(value);
  if (spec.shape.count() != 1) {
    return invalid_argument(
        format("its branch is int32%s, wanted one number", to_string(spec.shape).c_str()));
  }
  int32_t number;
  std::memcpy(&number, from.data(value), sizeof number);
  *branch = number < 0 ? count - 1 : std::min(static_cast<size_t>(number), count - 1);
  return {};
}

// IF, whose branches are the one for true and the one for false, and STABLEHLO_CASE.
Status run_branch(const Step& step, Execution& caller,
                  std::vector<std::unique_ptr<Execution>>& callees, bool is_if, RunContext& run) {
  size_t number = 0;
  if (is_if) {
    bool is_true = false;
    EDGE_TRY(truth(caller, step.inputs[0], &is_true));
    number = is_true ? 0 : 1;
  } else {
    EDGE_TRY(choice(caller, step.inputs[0], callees.size(), &number));
  }
  Execution& branch = *callees[number];
  const Graph& g = branch.plan().graph();
  EDGE_TRY(copy(caller, step.inputs.data() + 1, branch, g.inputs));
  EDGE_TRY(branch.run(run, nullptr));
  return copy(branch, g.outputs.data(), caller, step.outputs);
}

// The values lie in the condition's inputs, which its run leaves as they are.
Status run_while(const Step& step, Execution& caller,
                 std::vector<std::unique_ptr<Execution>>& callees, RunContext& run) {
  Execution &condition = *callees[0], &body = *callees[1];
  const Graph &c = condition.plan().graph(), &b = body.plan().graph();
  EDGE_TRY(copy(caller, step.inputs.data(), condition, c.inputs));
  for (int64_t round = 0;; ++round) {
    EDGE_TRY(condition.run(run, nullptr));
    bool is_true = false;
    EDGE_TRY(truth(condition, c.outputs[0], &is_true));
    if (!is_true) return copy(condition, c.inputs.data(), caller, step.outputs);
    if (round == run.limits.loop_steps) {
      return beyond("loop_steps", static_cast<double>(round), "the loop goes on");
    }
    EDGE_TRY(run.deadline.check());
    EDGE_TRY(copy(condition, c.inputs.data(), body, b.inputs));
    EDGE_TRY(body.run(run, nullptr));
    EDGE_TRY(copy(body, b.outputs.data(), condition, c.inputs));
  }
}

Status run_once(const Step& step, Execution& caller, RunContext& run) {
  const Calls& calls = *static_cast<const Calls*>(step.state.get());
  if (run.state.initialized.count(calls.graphs[0])) return {};
  EDGE_ASSIGN(const auto init,
              Execution::create(calls.plans[0], caller.threads(), caller.budget()));
  EDGE_TRY(init->run(run, nullptr));
  run.state.initialized.insert(calls.graphs[0]);
  return {};
}

}  // namespace

Planner::Planner(std::shared_ptr<const Model> model, const PlanOptions& options)
    : model_(std::move(model)), options_(options) {
  options_.kernels.clear();
  options_.preserve_all = false;
}

Result<std::shared_ptr<const Plan>> Planner::plan(const Graph& caller, const Node& node,
                                                  size_t skip, int graph, bool open) {
  const Graph& callee = model_->graphs[static_cast<size_t>(graph)];
  const size_t count = node.inputs.size() - skip;
  EDGE_TRY(expect_types(caller, node.inputs.data() + skip, count, callee, callee.inputs, "inputs"));
  if (depth_ == options_.limits.nesting) {
    return beyond("nesting", depth_, "graphs call graphs to a greater depth");
  }
  if (++plans_ > kMostPlans) {
    return Status(Code::kResource,
                  format("its graphs call others in more than %d ways", kMostPlans));
  }
  options_.open_inputs = open;
  options_.input_shapes.clear();
  for (size_t i = 0; i < count && !open; ++i) {
    options_.input_shapes[callee.inputs[i]] = spec_of(caller, node.inputs[skip + i]).shape;
  }
  ++depth_;
  auto plan = Plan::build(model_, graph, options_, this);
  --depth_;
  if (plan.ok()) return plan;
  return plan.status().at(format("subgraph %d", graph));
}

Status Planner::plan_calls(const Graph& caller, Node* node, std::vector<Shape>* shapes) {
  auto calls = std::make_shared<Calls>();
  calls->graphs = edge::callees(*node);
  const bool branches = node->opcode == opcode::kIF || node->opcode == opcode::kSTABLEHLO_CASE;
  const size_t skip = branches ? 1 : 0;
  const auto plan_all = [&](bool open) -> Status {
    calls->plans.clear();
    for (int graph : calls->graphs) {
      EDGE_ASSIGN(auto made, plan(caller, *node, skip, graph, open));
      calls->plans.push_back(std::move(made));
    }
    return {};
  };
  const std::vector<int> given(node->inputs.begin() + static_cast<std::ptrdiff_t>(skip),
                               node->inputs.end());
  bool open = any_open(caller, given);
  EDGE_TRY(plan_all(open));
  node->callees = calls;
  if (node->opcode == opcode::kCALL_ONCE) {
    return node->outputs.empty() ? Status() : invalid_model("it has outputs");
  }
  const Graph* first = &calls->plans[0]->graph();
  const Graph* last = &calls->plans.back()->graph();
  const bool loop = node->opcode == opcode::kWHILE;
  for (const auto& plan : calls->plans) {
    const Graph& g = plan->graph();
    if (loop && &g == first) continue;
    EDGE_TRY(
        expect_types(caller, node->outputs.data(), node->outputs.size(), g, g.outputs, "outputs"));
  }
  if (loop) {
    EDGE_TRY(expect_types(caller, node->inputs.data(), node->inputs.size(), *last, last->outputs,
                          "inputs"));
    if (first->outputs.size() != 1) return invalid_model("its condition has not one output");
    if (!open && (any_open(*last, last->outputs) ||
                  !same_shapes(*last, last->outputs, caller, node->inputs.data()))) {
      // The values change their shapes from step to step.
      EDGE_TRY(plan_all(open = true));
      first = &calls->plans[0]->graph();
      last = &calls->plans[1]->graph();
    }
  } else {
    open = false;
    for (const auto& plan : calls->plans) {
      const Graph& g = plan->graph();
      open = open || any_open(g, g.outputs) ||
             !same_shapes(*first, first->outputs, g, g.outputs.data());
    }
  }
  if (open) return known_later("what its subgraph gives");
  for (size_t i = 0; i < shapes->size(); ++i) (*shapes)[i] = spec_of(*last, last->outputs[i]).shape;
  return {};
}

Status run_calls(const Step& step, Execution& caller,
                 std::vector<std::unique_ptr<Execution>>& callees, RunContext& run) {
  const int kind = caller.plan().graph().nodes[step.node].opcode;
  if (kind == opcode::kCALL_ONCE) return run_once(step, caller, run);
  if (kind == opcode::kWHILE) return run_while(step, caller, callees, run);
  return run_branch(step, caller, callees, kind == opcode::kIF, run);
}

}  // namespace edge
