// VAR_HANDLE: the number of the variable of that name, which all graphs of a session share.
#include "ops/resources.h"

namespace edge {
namespace {

struct State {
  std::string container, name;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<VarHandleAttributes>());
  EDGE_TRY(op.expect_arity(0, 0, 1));
  return op.expect_output(0, {DType::kResource});
}

Status infer(const OpView&, std::vector<Shape>* shapes) {
  (*shapes)[0] = {};
  return {};
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<VarHandleAttributes>();
  op.make_state<State>() = {a.container, a.shared_name};
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  *run.out<int32_t>(0) = run.resources().variable(s.container, s.name);
}

constexpr OpDef make_def() {
  OpDef def{check, infer, prepare, eval};
  def.stateful = true;
  return def;
}

}  // namespace

extern const OpDef op_var_handle = make_def();

}  // namespace edge
