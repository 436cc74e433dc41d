// STABLEHLO_CLAMP: x where it lies between input 0 and input 2, otherwise the nearer one; each of
// them has x's shape or is one element.
#include "ops/support/by_type.h"
#include "ops/support/movement.h"
#include "ops/support/parallel.h"

namespace edge {
namespace {

enum Input : size_t { kLow, kX, kHigh };

struct State {
  DType type = DType::kFloat32;
  size_t count = 0;
  bool one_low = false, one_high = false;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(3, 3, 1));
  EDGE_TRY(op.expect_input(
      0, {DType::kFloat32, DType::kFloat64, DType::kInt8, DType::kUInt8, DType::kInt16,
          DType::kUInt16, DType::kInt32, DType::kUInt32, DType::kInt64}));
  for (size_t i : {kX, kHigh}) EDGE_TRY(op.expect_input(i, {op.in(0).spec.dtype}));
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(kX).spec.shape;
  for (size_t i : {kLow, kHigh}) {
    if (op.in(i).spec.shape != x && op.in(i).spec.shape.count() != 1) {
      return invalid_model(format("a bound of shape %s for %s",
                                  to_string(op.in(i).spec.shape).c_str(), to_string(x).c_str()));
    }
  }
  (*shapes)[0] = x;
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  s.type = op.in(kX).spec.dtype;
  s.count = static_cast<size_t>(op.in(kX).spec.shape.count());
  s.one_low = op.in(kLow).spec.shape.count() == 1;
  s.one_high = op.in(kHigh).spec.shape.count() == 1;
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  by_type<float, double, int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t>(
      s.type, [&](auto of) {
        using T = decltype(of);
        const T *low = run.in<T>(kLow), *x = run.in<T>(kX), *high = run.in<T>(kHigh);
        T* y = run.out<T>(0);
        for_chunks(run.pool(), s.count, [&](size_t begin, size_t end) {
          for (size_t i = begin; i < end; ++i) {
            const T least = low[s.one_low ? 0 : i], most = high[s.one_high ? 0 : i];
            const T raised = x[i] < least ? least : x[i];
            y[i] = raised > most ? most : raised;
          }
        });
      });
}

}  // namespace

extern const OpDef op_stablehlo_clamp{check, infer, prepare, eval};

}  // namespace edge
