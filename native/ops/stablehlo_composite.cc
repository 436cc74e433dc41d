// STABLEHLO_COMPOSITE: a subgraph with a name. Plans hold its nodes (passes/resolve_calls.cc).
#include "ops/support/resolved.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  if (!std::holds_alternative<CompositeAttributes>(op.node().attributes)) {
    return invalid_model("it names no subgraph");
  }
  return {};
}

}  // namespace

extern const OpDef op_stablehlo_composite{check, infer_resolved, prepare_resolved, nullptr};

}  // namespace edge
