// Plan: a graph after all passes, with kernels chosen, weights packed and memory laid out.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/arena.h"
#include "graph/graph.h"
#include "ops/op.h"
#include "runtime/memory.h"

namespace edge {

struct PlanOptions {
  std::map<int, Shape> input_shapes;  // by value index; inputs not named keep the file's shape
  bool preserve_all = false;          // keep every tensor readable after a run
  // By node index of the file, the first of a step's: the kernel to use instead of the family's own
  // choice. One that this CPU or op cannot use is an error.
  std::map<int, std::string> kernels;
};

struct Step {
  const OpDef* def = nullptr;
  std::shared_ptr<const void> state;
  std::string op, kernel;
  std::vector<const char*> candidates;  // kernels that PlanOptions::kernels may name
  std::vector<int> nodes;               // the file's node indices
  std::vector<int> inputs, outputs;     // values; inputs may be kAbsent
  size_t scratch_per_worker = 0;
  size_t packed_bytes = 0;
  int64_t macs = 0;
  Pieces pieces;
};

// Where a value's bytes are while a session runs.
struct Place {
  enum Kind { kNone, kArena, kVariable, kConstant } kind = kNone;
  size_t offset = 0;              // in the arena or the block of variables
  const uint8_t* data = nullptr;  // of a constant
  int first = 0, last = 0;        // lifetime in steps
};

struct SharedPlace;

// Immutable once built, shared by sessions; keeps the Model alive.
class Plan {
 public:
  static Result<std::shared_ptr<const Plan>> build(std::shared_ptr<const Model> model, int graph,
                                                   const PlanOptions& options);

  const Model& model() const { return *model_; }
  const Graph& graph() const { return graph_; }
  const std::vector<Step>& steps() const { return steps_; }
  const Place& place(int value) const { return places_[static_cast<size_t>(value)]; }
  const std::vector<Place>& places() const { return places_; }
  size_t arena_bytes() const { return arena_bytes_; }
  size_t variable_bytes() const { return variable_bytes_; }
  size_t weight_bytes() const;  // packed by steps
  size_t scratch_per_worker() const { return scratch_per_worker_; }
  size_t scratch_shared() const { return scratch_shared_; }

 private:
  Status prepare_steps(const std::map<int, std::string>& kernels);
  Status place_values(bool preserve_all);
  Status lay_out(const std::vector<SharedPlace>& shared, bool preserve_all);

  std::shared_ptr<const Model> model_;
  Graph graph_;
  std::vector<Step> steps_;
  std::vector<Place> places_;
  std::vector<Arena> constants_;  // copies of constants that kernels may read on behind
  size_t arena_bytes_ = 0, variable_bytes_ = 0, scratch_per_worker_ = 0, scratch_shared_ = 0;
};

// The nodes of a graph that cannot run here.
struct MissingOp {
  int node;
  std::string op, reason;
};
std::vector<MissingOp> missing_ops(const Graph& graph);

}  // namespace edge
