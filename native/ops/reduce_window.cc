// REDUCE_WINDOW: what is left of each window of an array when its elements are combined one by one,
// starting from a value.
#include "ops/support/by_type.h"
#include "ops/support/movement.h"
#include "ops/support/parallel.h"

namespace edge {
namespace {

enum Input : size_t { kX, kStart, kWindow, kStrides, kDilations };
enum Function : int { kAdd = 1, kMultiply, kMinimum, kMaximum, kAll, kAny };

struct State {
  DType type = DType::kFloat32;
  int function = kAdd;
  struct Axis {
    int64_t out, window;
    int64_t move, step;  // elements from one window to the next, and within one
  };
  std::vector<Axis> axes;
  size_t windows = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<ReduceWindowAttributes>());
  const int function = op.attributes<ReduceWindowAttributes>().reduce_function;
  if (function < kAdd || function > kAny) {
    return invalid_model(format("function %d is unknown", function));
  }
  EDGE_TRY(op.expect_arity(5, 5, 1));
  EDGE_TRY(op.expect_input(kX, {DType::kFloat32, DType::kBool, DType::kInt8, DType::kUInt8,
                                DType::kInt16, DType::kInt32, DType::kInt64}));
  EDGE_TRY(op.expect_input(kStart, {op.in(kX).spec.dtype}));
  for (size_t i : {kWindow, kStrides, kDilations}) EDGE_TRY(op.expect_input(i, {DType::kInt64}));
  return op.expect_output_as_input();
}

Result<std::vector<State::Axis>> axes_of(const OpView& op) {
  const Shape& x = op.in(kX).spec.shape;
  EDGE_ASSIGN(const std::vector<int64_t> window, op.constant_integers(kWindow));
  EDGE_ASSIGN(const std::vector<int64_t> strides, op.constant_integers(kStrides));
  EDGE_ASSIGN(const std::vector<int64_t> dilations, op.constant_integers(kDilations));
  const size_t rank = static_cast<size_t>(x.rank());
  if (rank < 1 || window.size() != rank || strides.size() != rank || dilations.size() != rank ||
      op.in(kStart).spec.shape.count() != 1) {
    return invalid_model(
        format("windows of rank %zu over %s", window.size(), to_string(x).c_str()));
  }
  const auto elements = byte_strides(x, 1);
  std::vector<State::Axis> axes;
  for (size_t i = 0; i < rank; ++i) {
    if (window[i] < 1 || strides[i] < 1 || dilations[i] < 1) {
      return invalid_model("a window, stride or dilation below 1");
    }
    const int64_t extent = x[static_cast<int>(i)];
    State::Axis axis{0, window[i], 0, 0};
    if (extent > 0 && window[i] - 1 <= (extent - 1) / dilations[i]) {
      axis.out = (extent - 1 - (window[i] - 1) * dilations[i]) / strides[i] + 1;
      // What a single window or element is apart from the next does not matter.
      axis.move = axis.out > 1 ? elements[i] * strides[i] : 0;
      axis.step = axis.window > 1 ? elements[i] * dilations[i] : 0;
    }
    axes.push_back(axis);
  }
  return axes;
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const std::vector<State::Axis> axes, axes_of(op));
  for (const State::Axis& a : axes) EDGE_TRY(append_extent(a.out, &(*shapes)[0]));
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.axes, axes_of(op));
  s.type = op.in(kX).spec.dtype;
  s.function = op.attributes<ReduceWindowAttributes>().reduce_function;
  s.windows = static_cast<size_t>(op.out(0).spec.shape.count());
  return {};
}

template <typename T>
T combine(int function, T a, T b) {
  switch (function) {
    case kAdd:
      return wrapping_sum(a, b);
    case kMultiply:
      return wrapping_product(a, b);
    case kMinimum:
      return a <= b ? a : b;
    case kMaximum:
      return a >= b ? a : b;
    case kAll:
      return static_cast<T>(a != T(0) && b != T(0));
    default:
      return static_cast<T>(a != T(0) || b != T(0));
  }
}

template <typename T>
T reduce(const State& s, size_t axis, const T* x, T value) {
  const State::Axis& a = s.axes[axis];
  for (int64_t i = 0; i < a.window; ++i, x += a.step) {
    value =
        axis + 1 < s.axes.size() ? reduce(s, axis + 1, x, value) : combine(s.function, value, *x);
  }
  return value;
}

template <typename T>
void run_windows(const EvalContext& run, const State& s) {
  const T start = *run.in<T>(kStart);
  for_chunks(run.pool(), s.windows, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      int64_t rest = static_cast<int64_t>(i), at = 0;
      for (size_t a = s.axes.size(); a-- > 0; rest /= s.axes[a].out) {
        at += rest % s.axes[a].out * s.axes[a].move;
      }
      run.out<T>(0)[i] = reduce(s, 0, run.in<T>(kX) + at, start);
    }
  });
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  by_type<float, int8_t, uint8_t, int16_t, int32_t, int64_t>(
      s.type, [&](auto t) { run_windows<decltype(t)>(run, s); });
}

}  // namespace

extern const OpDef op_reduce_window{check, infer, prepare, eval};

}  // namespace edge
