// HASHTABLE: the number of a table from integers to strings, or back, which all graphs share.
#include "ops/support/tables.h"

namespace edge {
namespace {

struct State {
  int32_t id;
  DType key, value;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<HashtableAttributes>());
  EDGE_TRY(op.expect_arity(0, 0, 1));
  EDGE_TRY(op.expect_output(0, {DType::kResource}));
  const auto& a = op.attributes<HashtableAttributes>();
  return expect_table_types(a.key_type, a.value_type);
}

Status infer(const OpView&, std::vector<Shape>* shapes) {
  (*shapes)[0] = {1};
  return {};
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<HashtableAttributes>();
  op.make_state<State>() = {a.table_id, a.key_type, a.value_type};
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  *run.out<int32_t>(0) = run.resources().table(s.id, s.key, s.value);
}

constexpr OpDef make_def() {
  OpDef def{check, infer, prepare, eval};
  def.stateful = true;
  return def;
}

}  // namespace

extern const OpDef op_hashtable = make_def();

}  // namespace edge
