// ADD, SUB, MUL and DIV: broadcast operands, a fused activation, and integers of 32 and 64 bits
// that wrap as two's complement.
#pragma once

#include <array>
#include <limits>
#include <type_traits>

#include "ops/support/binary.h"

namespace edge {

// Whether the operands are int16 without scales: whole numbers then, not codes.
bool plain_int16(const OpView& op);

struct Arithmetic : Binary {
  // int8, uint8 and int16, but for DIV. The kernel's second operand may repeat one element, its
  // first may not: where the op's first does, the two are exchanged, and the parameters with them.
  const elementwise::Kernel8* k8 = nullptr;
  elementwise::Params8 params{};
  // Where one operand is a constant of one element, the result by the code of the other.
  const elementwise::KernelLut* lut = nullptr;
  std::array<uint8_t, 256> table{};
  // Whole numbers
  int64_t low = 0, high = 0;
  // Sums of int16 whose scales are powers of two: one operand is shifted right by so many bits.
  bool shifts = false;
  int shift_a = 0, shift_b = 0;
};

// Of an op with a kernel for codes, all but `params`, which the caller gives in the op's own order.
Status prepare_arithmetic(PrepareContext& op, elementwise::OpF32 f32, Activation activation,
                          Arithmetic* state);
struct CodeKernels {
  elementwise::Op8 i8, u8, i16;
};
Status prepare_codes(PrepareContext& op, const CodeKernels& kernels, elementwise::Params8 params,
                     Arithmetic* state);
void eval_codes(const EvalContext& run, const Arithmetic& state);

// f takes and returns unsigned integers, whose overflow is defined.
template <typename T, typename F>
void eval_integer(const EvalContext& run, const Arithmetic& state, const F& f) {
  using U = std::common_type_t<std::make_unsigned_t<T>, uint32_t>;  // none that C++ widens to int
  const T low = static_cast<T>(state.low), high = static_cast<T>(state.high);
  map_binary<T>(run, state.shape, [=](T a, T b) {
    const T v = static_cast<T>(f(static_cast<U>(a), static_cast<U>(b)));
    return std::min(std::max(v, low), high);
  });
}

template <typename F>
void eval_arithmetic(const EvalContext& run, const F& f) {
  const Arithmetic& state = run.state<Arithmetic>();
  switch (state.type) {
    case DType::kFloat32:
      return eval_f32(run, state);
    case DType::kInt16:
      if (state.k8 || state.shifts) return eval_codes(run, state);
      return eval_integer<int16_t>(run, state, f);
    case DType::kInt32:
      return eval_integer<int32_t>(run, state, f);
    case DType::kUInt32:
      return eval_integer<uint32_t>(run, state, f);
    case DType::kInt64:
      return eval_integer<int64_t>(run, state, f);
    default:
      return eval_codes(run, state);
  }
}

}  // namespace edge
