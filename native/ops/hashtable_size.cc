// HASHTABLE_SIZE: how many keys a table has.
#include "ops/support/tables.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kResource}));
  return op.expect_output(0, {DType::kInt64});
}

Status infer(const OpView&, std::vector<Shape>* shapes) {
  (*shapes)[0] = {1};
  return {};
}

Status prepare(PrepareContext& op) { return prepare_table(op, 0, 0); }

void eval(const EvalContext& run) {
  const HashTable* table = table_of(run);
  if (table) *run.out<int64_t>(0) = static_cast<int64_t>(table->size());
}

constexpr OpDef make_def() {
  OpDef def{check, infer, prepare, eval};
  def.stateful = true;
  return def;
}

}  // namespace

extern const OpDef op_hashtable_size = make_def();

}  // namespace edge
