// STABLEHLO_REDUCE_WINDOW: what is left of each window of an array when its elements are combined
// one by one, starting from a value. Holes that dilation makes in the array and the border around
// it hold that value too, and are combined with the rest.
#include "ops/support/combine.h"
#include "ops/support/movement.h"
#include "ops/support/parallel.h"

namespace edge {
namespace {

struct Axis {
  int64_t extent, dilation, low;  // of the array; `low` cells are put before it
  int64_t window, stride, step;   // elements of a window are `step` cells apart
  int64_t out, move;              // windows; elements of the array from one to the next
};

struct State {
  DType type = DType::kFloat32;
  Combine how = Combine::kUnknown;
  std::vector<Axis> axes;
  size_t windows = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<StablehloReduceWindowAttributes>());
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kFloat64, DType::kBool, DType::kInt8,
                               DType::kUInt8, DType::kInt16, DType::kInt32, DType::kInt64}));
  EDGE_TRY(op.expect_input(1, {op.in(0).spec.dtype}));
  const Combine how = combine_of(op.node().body);
  if (how == Combine::kUnknown || how == Combine::kSecond)
    return unsupported("windows that are combined by another graph than one op");
  return op.expect_output_as_input();
}

Result<std::vector<Axis>> axes_of(const OpView& op) {
  const auto& a = op.attributes<StablehloReduceWindowAttributes>();
  const Shape& x = op.in(0).spec.shape;
  const size_t rank = static_cast<size_t>(x.rank());
  if (a.window.size() != rank || a.strides.size() != rank || a.base_dilations.size() != rank ||
      a.window_dilations.size() != rank || a.padding.size() != 2 * rank || rank == 0 ||
      op.in(1).spec.shape.count() != 1) {
    return invalid_model(
        format("windows of rank %zu over %s", a.window.size(), to_string(x).c_str()));
  }
  constexpr int64_t kMost = INT32_MAX;
  const auto elements = byte_strides(x, 1);
  std::vector<Axis> axes;
  int64_t all_cells = 1;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t low = a.padding[2 * i], high = a.padding[2 * i + 1];
    for (int64_t v : {a.window[i], a.strides[i], a.base_dilations[i], a.window_dilations[i]}) {
      if (v < 1 || v > kMost) return invalid_model("a window, stride or dilation out of range");
    }
    if (low < -kMost || low > kMost || high < -kMost || high > kMost) {
      return invalid_model("a border out of range");
    }
    Axis axis{x[static_cast<int>(i)], a.base_dilations[i],   low, a.window[i],
              a.strides[i],           a.window_dilations[i], 0,   elements[i]};
    const int64_t cells =
        (axis.extent ? (axis.extent - 1) * axis.dilation + 1 : 0) + axis.low + high;
    if (cells > 0 && __builtin_mul_overflow(all_cells, cells, &all_cells)) all_cells = INT64_MAX;
    if (all_cells > kMost) return invalid_model("holes and a border of more cells than can be");
    const int64_t reach = (axis.window - 1) * axis.step + 1;
    axis.out = cells < reach ? 0 : (cells - reach) / axis.stride + 1;
    axes.push_back(axis);
  }
  return axes;
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const std::vector<Axis> axes, axes_of(op));
  for (const Axis& a : axes) EDGE_TRY(append_extent(a.out, &(*shapes)[0]));
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.axes, axes_of(op));
  s.type = op.in(0).spec.dtype;
  s.how = combine_of(op.node().body);
  s.windows = static_cast<size_t>(op.out(0).spec.shape.count());
  return {};
}

// Elements of the window that begins at cell `first` of each axis; x is null in a hole.
template <typename T>
T reduce(const State& s, size_t i, const int64_t* first, const T* x, T start, T value) {
  const Axis& a = s.axes[i];
  int64_t cell = first[i] - a.low;
  for (int64_t k = 0; k < a.window; ++k, cell += a.step) {
    const bool there = x && cell >= 0 && cell % a.dilation == 0 && cell / a.dilation < a.extent;
    const T* at = there ? x + cell / a.dilation * a.move : nullptr;
    value = i + 1 < s.axes.size() ? reduce<T>(s, i + 1, first, at, start, value)
                                  : combine(s.how, value, at ? *at : start);
  }
  return value;
}

template <typename T>
void run_windows(const EvalContext& run, const State& s) {
  const T start = *run.in<T>(1);
  for_chunks(run.pool(), s.windows, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      int64_t rest = static_cast<int64_t>(i), first[kMaxRank];
      for (size_t a = s.axes.size(); a-- > 0; rest /= s.axes[a].out) {
        first[a] = rest % s.axes[a].out * s.axes[a].stride;
      }
      run.out<T>(0)[i] = reduce<T>(s, 0, first, run.in<T>(0), start, start);
    }
  });
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  by_type<float, double, int8_t, uint8_t, int16_t, int32_t, int64_t>(
      s.type, [&](auto t) { run_windows<decltype(t)>(run, s); });
}

}  // namespace

extern const OpDef op_stablehlo_reduce_window{check, infer, prepare, eval};

}  // namespace edge
