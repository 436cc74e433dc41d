// The definition: gemmlowp's fixed point for 8-bit types, the plain formula for float.
#include <cmath>
#include <limits>

#include "kernels/softmax/fixed_point.h"
#include "kernels/softmax/softmax.h"

namespace edge::softmax {
namespace {

template <typename T, typename Out>
void softmax8(const Args& args) {
  constexpr int kSumBits = 12;  // the sum is Q12.19
  constexpr int32_t kLowest = std::numeric_limits<Out>::min();
  constexpr int32_t kHighest = std::numeric_limits<Out>::max();
  const Table& table = *args.table;
  for (size_t i = 0; i < args.rows; ++i) {
    const T* x = static_cast<const T*>(args.x) + i * args.depth;
    Out* out = static_cast<Out*>(args.out) + i * args.depth;
    T max = x[0];
    for (size_t j = 1; j < args.depth; ++j) max = x[j] > max ? x[j] : max;
    uint32_t sum = 0;  // unsigned: wraps beyond 8191 elements at the maximum
    for (size_t j = 0; j < args.depth; ++j) {
      sum += static_cast<uint32_t>(round_shift(table.exp[max - x[j]], kSumBits));
    }
    if (sum == 0) sum = 1;
    // sum = (1 + f) * 2^(31 - zeros), f in [0, 1).
    const int zeros = __builtin_clz(sum);
    const int32_t f = static_cast<int32_t>((sum << zeros) - (1u << 31));
    const int32_t scale = reciprocal(f);
    const int shift = kSumBits - zeros + 31 - 8 * static_cast<int>(sizeof(Out));
    for (size_t j = 0; j < args.depth; ++j) {
      int32_t v = kLowest;
      if (max - x[j] <= table.reach) {
        v = round_shift(multiply(scale, table.exp[max - x[j]]), shift) + kLowest;
      }
      v = v < kLowest ? kLowest : v;
      out[j] = static_cast<Out>(v > kHighest ? kHighest : v);
    }
  }
}

}  // namespace

void softmax_i8_scalar(const Args& args) { softmax8<int8_t, int8_t>(args); }
void softmax_u8_scalar(const Args& args) { softmax8<uint8_t, uint8_t>(args); }
void softmax_i8_to_i16_scalar(const Args& args) { softmax8<int8_t, int16_t>(args); }

void softmax_f32_scalar(const Args& args) {
  for (size_t i = 0; i < args.rows; ++i) {
    const float* x = static_cast<const float*>(args.x) + i * args.depth;
    float* out = static_cast<float*>(args.out) + i * args.depth;
    float max = x[0];
    for (size_t j = 1; j < args.depth; ++j) max = x[j] > max ? x[j] : max;
    float sum = 0;
    for (size_t j = 0; j < args.depth; ++j) {
      out[j] = std::exp((x[j] - max) * args.beta);
      sum += out[j];
    }
    for (size_t j = 0; j < args.depth; ++j) out[j] /= sum;
  }
}

}  // namespace edge::softmax
