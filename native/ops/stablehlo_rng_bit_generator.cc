// STABLEHLO_RNG_BIT_GENERATOR: random bits, as many as output 1 has, from the state in input 0: a
// key and a counter, which output 0 has as it is then. The same state gives the same bits, by
// Philox or Threefry (J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3").
#include <array>
#include <cstring>

#include "ops/support/random.h"

namespace edge {
namespace {

enum Algorithm : int { kDefault, kPhilox, kThreefry };

template <size_t n>
using Words = std::array<uint32_t, n>;

struct State {
  bool threefry = false;
  size_t state_words = 0, words = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<StablehloRngBitGeneratorAttributes>());
  const int algorithm = op.attributes<StablehloRngBitGeneratorAttributes>().algorithm;
  if (algorithm < kDefault || algorithm > kThreefry) {
    return invalid_model(format("algorithm %d is unknown", algorithm));
  }
  EDGE_TRY(op.expect_arity(1, 1, 2));
  EDGE_TRY(op.expect_input(0, {DType::kUInt64}));
  EDGE_TRY(op.expect_output(0, {DType::kUInt64}));
  return op.expect_output(1, {DType::kInt32, DType::kUInt32, DType::kInt64, DType::kUInt64});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &state = op.in(0).spec.shape, &y = op.out(1).spec.shape;
  const bool threefry = op.attributes<StablehloRngBitGeneratorAttributes>().algorithm == kThreefry;
  bool fits = state.rank() == 1 && (state[0] == 2 || (state[0] == 3 && !threefry));
  for (int32_t extent : y) fits = fits && extent >= 0;
  if (!fits) return invalid_model(format("a state of shape %s", to_string(state).c_str()));
  (*shapes)[0] = state;
  (*shapes)[1] = y;
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  s.threefry = op.attributes<StablehloRngBitGeneratorAttributes>().algorithm == kThreefry;
  s.state_words = static_cast<size_t>(op.in(0).spec.shape[0]) * 2;
  const size_t each = dtype_size(op.out(1).spec.dtype) / sizeof(uint32_t);
  s.words = static_cast<size_t>(op.out(1).spec.shape.count()) * each;
  return {};
}

uint32_t rotated(uint32_t x, int by) { return x << by | x >> (32 - by); }

Words<2> threefry(uint32_t k0, uint32_t k1, Words<2> c) {
  constexpr int kTurns[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const uint32_t keys[3] = {k0, k1, k0 ^ k1 ^ 0x1BD11BDA};
  c = {c[0] + k0, c[1] + k1};
  for (uint32_t block = 0; block < 5; ++block) {
    for (int turn : kTurns[block % 2]) {
      c[0] += c[1];
      c[1] = rotated(c[1], turn) ^ c[0];
    }
    c[0] += keys[(block + 1) % 3];
    c[1] += keys[(block + 2) % 3] + block + 1;
  }
  return c;
}

// The counter afterwards.
template <size_t n, typename F>
Words<n> fill(const F& f, const uint32_t* key, Words<n> counter, size_t words, uint32_t* out) {
  for (size_t i = 0; i < words; i += n) {
    const Words<n> bits = f(key[0], key[1], counter);
    std::memcpy(out + i, bits.data(), std::min(n, words - i) * sizeof(uint32_t));
    if (++counter[0] == 0) ++counter[1];
  }
  return counter;
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  Words<6> state{};
  std::memcpy(state.data(), run.in<uint8_t>(0), s.state_words * sizeof(uint32_t));
  uint32_t* out = run.out<uint32_t>(1);
  if (s.threefry) {
    const auto c = fill<2>(threefry, state.data(), {state[2], state[3]}, s.words, out);
    std::memcpy(&state[2], c.data(), 2 * sizeof(uint32_t));
  } else {
    const size_t rest = s.state_words == 6 ? 4 : 0;
    const auto c = fill<4>(philox, state.data(), {state[2], state[3], state[rest], state[rest + 1]},
                           s.words, out);
    std::memcpy(&state[2], c.data(), 2 * sizeof(uint32_t));
  }
  std::memcpy(run.out<uint8_t>(0), state.data(), s.state_words * sizeof(uint32_t));
}

}  // namespace

extern const OpDef op_stablehlo_rng_bit_generator{check, infer, prepare, eval};

}  // namespace edge
