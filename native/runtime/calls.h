// Steps that run other graphs of the model: IF, STABLEHLO_CASE, WHILE, CALL_ONCE. Each such graph
// has a plan of its own, for the shapes that it is given, and in each session memory of its own.
#pragma once

#include <memory>
#include <vector>

#include "ops/op.h"
#include "runtime/plan.h"

namespace edge {

class Execution;
struct RunContext;

// The state of such a step.
struct Calls {
  // IF: then and else; STABLEHLO_CASE: its branches; WHILE: condition and body; CALL_ONCE: the one
  std::vector<int> graphs;
  std::vector<std::shared_ptr<const Plan>> plans;
};

// Plans the graphs that others call, one inside of the other.
class Planner {
 public:
  Planner(std::shared_ptr<const Model> model, const PlanOptions& options);

  // The outputs' shapes of a node that calls graphs, and Node::callees. kLater where the shapes
  // depend on data.
  Status plan_calls(const Graph& caller, Node* node, std::vector<Shape>* shapes);

 private:
  Result<std::shared_ptr<const Plan>> plan(const Graph& caller, const Node& node, size_t skip,
                                           int graph, bool open);

  std::shared_ptr<const Model> model_;
  PlanOptions options_;
  int depth_ = 0;
  int plans_ = 0;
};

// Runs such a step; `callees` has an Execution for each plan.
Status run_calls(const Step& step, Execution& caller,
                 std::vector<std::unique_ptr<Execution>>& callees, RunContext& run);

}  // namespace edge
