// STABLEHLO_IOTA: the index along one axis, in a tensor of the shape that the file says.
#include "ops/op.h"
#include "ops/support/by_type.h"
#include "ops/support/parallel.h"

namespace edge {
namespace {

struct State {
  DType type = DType::kFloat32;
  size_t count = 0, extent = 1, inner = 1;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<StablehloIotaAttributes>());
  EDGE_TRY(op.expect_arity(0, 0, 1));
  return op.expect_output(
      0, {DType::kFloat32, DType::kFloat64, DType::kInt8, DType::kUInt8, DType::kInt16,
          DType::kUInt16, DType::kInt32, DType::kUInt32, DType::kInt64});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& y = op.out(0).spec.shape;
  const int64_t axis = op.attributes<StablehloIotaAttributes>().dimension;
  bool known = axis >= 0 && axis < y.rank();
  for (int32_t extent : y) known = known && extent >= 0;
  if (!known) {
    return invalid_model(
        format("axis %lld of %s", static_cast<long long>(axis), to_string(y).c_str()));
  }
  (*shapes)[0] = y;
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  const Shape& y = op.out(0).spec.shape;
  const int axis = static_cast<int>(op.attributes<StablehloIotaAttributes>().dimension);
  s.type = op.out(0).spec.dtype;
  s.count = static_cast<size_t>(y.count());
  s.extent = static_cast<size_t>(y[axis]);
  s.inner = static_cast<size_t>(y.count(axis + 1, y.rank()));
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  by_type<float, double, int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t>(
      s.type, [&](auto of) {
        using T = decltype(of);
        T* y = run.out<T>(0);
        for_chunks(run.pool(), s.count, [&](size_t begin, size_t end) {
          for (size_t i = begin; i < end; ++i) y[i] = static_cast<T>(i / s.inner % s.extent);
        });
      });
}

}  // namespace

extern const OpDef op_stablehlo_iota{check, infer, prepare, eval};

}  // namespace edge
