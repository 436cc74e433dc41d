#include "ops/support/tables.h"

namespace edge {

Status expect_table_types(DType key, DType value) {
  if ((key == DType::kInt64 && value == DType::kString) ||
      (key == DType::kString && value == DType::kInt64)) {
    return {};
  }
  return unsupported(format("a table from %s to %s", dtype_name(key), dtype_name(value)));
}

Status prepare_table(PrepareContext& op, size_t keys, size_t values) {
  if (op.in(0).spec.shape.count() != 1) return invalid_model("its table is not one");
  const TensorSpec& k = op.in(keys).spec;
  op.make_state<TableUse>() = {k.dtype, op.in(values).spec.dtype, k.shape.count()};
  return {};
}

HashTable* table_of(const EvalContext& run) {
  const TableUse& use = run.state<TableUse>();
  HashTable* table = run.resources().find_table(resource_number(run.in<uint8_t>(0)));
  const bool any = use.key == DType::kResource;
  if (table && (any || (table->key == use.key && table->value == use.value))) return table;
  run.fail(invalid_argument("it uses no table of its types"));
  return nullptr;
}

}  // namespace edge
