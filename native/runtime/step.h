// What a plan runs: one op, or a chain of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ops/op.h"

namespace edge {

struct Step {
  const OpDef* def = nullptr;
  std::shared_ptr<const void> state;
  std::string op, kernel;               // a chain's: those of its parts, joined by '+'
  std::vector<const char*> candidates;  // kernels that PlanOptions::kernels may name
  std::vector<int> nodes;               // the file's node indices
  std::vector<int> inputs, outputs;     // values; inputs may be kAbsent
  RowWork rows;                         // where def->eval_rows
  size_t scratch_per_worker = 0;
  size_t scratch_shared = 0;
  size_t packed_bytes = 0;
  size_t kept = 0, kept_bytes = 0;  // its own memory, from an offset in the block of variables on
  int64_t macs = 0;
  Pieces pieces;
  // Its shapes depend on data, so it is prepared while running: node `node` of the plan's graph.
  bool open = false;
  size_t node = 0;
  std::vector<Step> parts;  // of a chain: the steps that it runs row by row
};

}  // namespace edge
