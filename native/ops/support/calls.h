// What ops that run other graphs share. The runtime runs them (runtime/calls.h).
#pragma once

#include "ops/op.h"

namespace edge {

// Options are there, since verify_calls() has looked at those; the first `own` inputs are given.
template <typename T>
Status check_calls(const OpView& op, size_t own) {
  if (!std::holds_alternative<T>(op.node().attributes)) {
    return invalid_model("it does not say which subgraph it runs");
  }
  if (op.input_count() < own) return invalid_model("it has too few inputs");
  for (size_t i = 0; i < op.input_count(); ++i) {
    if (!op.has_input(i)) return invalid_model(format("its input %zu is missing", i));
  }
  return {};
}

constexpr OpDef calling_op(Status (*check)(const OpView&)) {
  OpDef def{check, nullptr, nullptr, nullptr};
  def.calls = true;
  def.stateful = true;
  return def;
}

}  // namespace edge
