// HASHTABLE_FIND: the value of each key, or the default.
#include "ops/support/tables.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(3, 3, 1));
  EDGE_TRY(op.expect_input(0, {DType::kResource}));
  EDGE_TRY(op.expect_output(0, {op.in(2).spec.dtype}));
  return expect_table_types(op.in(1).spec.dtype, op.in(2).spec.dtype);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  (*shapes)[0] = op.in(1).spec.shape;
  return {};
}

Status prepare(PrepareContext& op) {
  if (op.in(2).spec.shape.count() != 1) return invalid_model("its default is not one value");
  return prepare_table(op, 1, 2);
}

void eval(const EvalContext& run) {
  const HashTable* table = table_of(run);
  if (!table) return;
  const TableUse& use = run.state<TableUse>();
  if (use.key == DType::kInt64) {
    std::vector<std::string_view> found;
    for (int64_t i = 0; i < use.count; ++i) {
      const auto at = table->strings.find(run.in<int64_t>(1)[i]);
      found.push_back(at == table->strings.end() ? Strings(run.in<uint8_t>(2))[0]
                                                 : std::string_view(at->second));
    }
    return write_strings(run, 0, use.count,
                         [&](int64_t k) { return found[static_cast<size_t>(k)]; });
  }
  const Strings keys(run.in<uint8_t>(1));
  for (int64_t i = 0; i < use.count; ++i) {
    const auto at = table->numbers.find(std::string(keys[i]));
    run.out<int64_t>(0)[i] = at == table->numbers.end() ? *run.in<int64_t>(2) : at->second;
  }
}

constexpr OpDef make_def() {
  OpDef def{check, infer, prepare, eval};
  def.stateful = true;
  return def;
}

}  // namespace

extern const OpDef op_hashtable_find = make_def();

}  // namespace edge
