// CAST: each element as another type. Whole numbers wrap, floats are cut towards 0 and to the
// target's range (NaN to its upper end), and all that is not 0 is true. A complex number is cast by
// its real part; a real one gets the imaginary part 0. Halves are cast as the floats that they are.
#include <limits>
#include <type_traits>

#include "ops/op.h"
#include "ops/support/half.h"
#include "ops/support/parallel.h"
#include "ops/support/unary.h"

namespace edge {
namespace {

// Any byte but 0 is true, which C++'s bool does not promise.
struct Bool {
  uint8_t byte;
};

// A number is its own real part, and what is left of the other way round.
struct Complex {
  float real, imaginary;
};

template <typename To, typename From>
To convert(From x) {
  if constexpr (std::is_same_v<From, Complex> && std::is_same_v<To, Complex>) {
    return x;
  } else if constexpr (std::is_same_v<From, Complex>) {
    return convert<To>(x.real);
  } else if constexpr (std::is_same_v<To, Complex>) {
    return {convert<float>(x), 0};
  } else if constexpr (is_half<From>) {
    if constexpr (std::is_same_v<From, To>) return x;  // NaN too
    return convert<To>(to_float(x));
  } else if constexpr (is_half<To>) {
    return to_half<To>(convert<float>(x));
  } else if constexpr (std::is_same_v<From, Bool>) {
    return convert<To>(static_cast<uint8_t>(x.byte != 0));
  } else if constexpr (std::is_same_v<To, Bool>) {
    return Bool{static_cast<uint8_t>(x != 0)};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // Both bounds are powers of two (or 0), exact as floats: highest + 1 and the lowest.
    constexpr From kEnd = static_cast<From>(std::numeric_limits<To>::max() / 2 + 1) * 2;
    constexpr From kLowest = static_cast<From>(std::numeric_limits<To>::min());
    if (!(x < kEnd)) return std::numeric_limits<To>::max();
    return x < kLowest ? std::numeric_limits<To>::min() : static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

template <typename From, typename To>
void cast(const EvalContext& run, size_t count) {
  const From* x = run.in<From>(0);
  To* y = run.out<To>(0);
  for_chunks(run.pool(), count, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) y[i] = convert<To>(x[i]);
  });
}

using Cast = void (*)(const EvalContext& run, size_t count);

#define EDGE_CAST_TYPES(X) \
  X(kFloat32, float)       \
  X(kFloat64, double)      \
  X(kFloat16, Half)        \
  X(kBFloat16, BFloat16)   \
  X(kInt8, int8_t)         \
  X(kUInt8, uint8_t)       \
  X(kInt16, int16_t)       \
  X(kUInt16, uint16_t)     \
  X(kInt32, int32_t)       \
  X(kUInt32, uint32_t)     \
  X(kInt64, int64_t)       \
  X(kBool, Bool)           \
  X(kComplex64, Complex)

template <typename From>
Cast cast_to(DType to) {
  switch (to) {
#define EDGE_CASE(tag, Type) \
  case DType::tag:           \
    return cast<From, Type>;
    EDGE_CAST_TYPES(EDGE_CASE)
#undef EDGE_CASE
    default:
      return nullptr;
  }
}

Cast find_cast(DType from, DType to) {
  switch (from) {
#define EDGE_CASE(tag, Type) \
  case DType::tag:           \
    return cast_to<Type>(to);
    EDGE_CAST_TYPES(EDGE_CASE)
#undef EDGE_CASE
    default:
      return nullptr;
  }
}

struct State {
  Cast cast = nullptr;
  size_t count = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  const DType from = op.in(0).spec.dtype, to = op.out(0).spec.dtype;
  if (find_cast(from, to)) return {};
  return unsupported(format("no conversion from %s to %s", dtype_name(from), dtype_name(to)));
}

Status prepare(PrepareContext& op) {
  State& state = op.make_state<State>();
  state.cast = find_cast(op.in(0).spec.dtype, op.out(0).spec.dtype);
  state.count = static_cast<size_t>(op.in(0).spec.shape.count());
  return {};
}

void eval(const EvalContext& run) { run.state<State>().cast(run, run.state<State>().count); }

}  // namespace

extern const OpDef op_cast{check, infer_unary, prepare, eval};

}  // namespace edge
