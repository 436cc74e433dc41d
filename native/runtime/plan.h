// Plan: a graph after all passes, with kernels chosen, weights packed and memory laid out.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "graph/graph.h"
#include "runtime/layout.h"
#include "runtime/limits.h"
#include "runtime/step.h"

namespace edge {

struct PlanOptions {
  std::map<int, Shape> input_shapes;  // by value index; inputs not named keep the file's shape
  bool preserve_all = false;          // keep every tensor readable after a run
  // By node index of the file, the first of a step's: the kernel to use instead of the family's own
  // choice. One that this CPU or op cannot use is an error.
  std::map<int, std::string> kernels;
  // Bytes of the fast memory that a thread may fill with rows of a chain of convolutions and their
  // weights; 0: half of the CPU's share of the L2 cache.
  size_t tile_bytes = 0;
  bool open_inputs = false;  // the shapes of all inputs are known only while running
  Limits limits;
};

class Planner;

// Immutable once built, shared by sessions; keeps the Model alive.
class Plan {
 public:
  static Result<std::shared_ptr<const Plan>> build(std::shared_ptr<const Model> model, int graph,
                                                   const PlanOptions& options);

  const Model& model() const { return *model_; }
  const Graph& graph() const { return graph_; }
  const std::vector<Step>& steps() const { return steps_; }
  const Place& place(int value) const { return layout_.places[static_cast<size_t>(value)]; }
  const std::vector<Place>& places() const { return layout_.places; }
  size_t arena_bytes() const { return layout_.arena_bytes; }
  size_t variable_bytes() const { return layout_.variable_bytes; }
  size_t weight_bytes() const;  // packed by steps
  size_t scratch_per_worker() const { return scratch_per_worker_; }
  size_t scratch_shared() const { return scratch_shared_; }
  bool any_open() const { return any_open_; }  // values or steps
  bool preserve_all() const { return preserve_all_; }
  const Limits& limits() const { return limits_; }

 private:
  friend class Planner;
  static Result<std::shared_ptr<const Plan>> build(std::shared_ptr<const Model> model, int graph,
                                                   const PlanOptions& options, Planner* planner);
  Status prepare_steps(const std::map<int, std::string>& kernels);
  Status copy_constants();
  Limits limits_;
  bool any_open_ = false, preserve_all_ = false;

  std::shared_ptr<const Model> model_;
  Graph graph_;
  std::vector<Step> steps_;
  Layout layout_;
  std::vector<Arena> constants_;  // copies of constants that kernels may read on behind
  size_t scratch_per_worker_ = 0, scratch_shared_ = 0;
};

// The nodes of a graph that cannot run here, be it for want of what they call.
struct MissingOp {
  int node;
  std::string op, reason;
};
std::vector<MissingOp> missing_ops(const Graph& graph);
std::vector<MissingOp> missing_ops(const Model& model, int graph);

}  // namespace edge
