// The random numbers of TFLite: Philox 4x32-10, four numbers of 32 bits for each step of a counter
// (J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3").
#pragma once

#include <array>
#include <cmath>
#include <cstring>
#include <random>

#include "ops/op.h"

namespace edge {

using Four = std::array<uint32_t, 4>;

// The numbers of one step of the counter.
inline Four philox(uint32_t k0, uint32_t k1, Four c) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{c[0]} * 0xD2511F53u, b = uint64_t{c[2]} * 0xCD9E8D57u;
    c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(a)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}

class Random {
 public:
  // Seeds have 32 bits, as in TFLite; 0 both stand for any.
  void seed(int64_t first, int64_t second) {
    first = static_cast<int32_t>(first);
    second = static_cast<int32_t>(second);
    if (first == 0 && second == 0) {
      std::random_device device;
      first = static_cast<int64_t>(uint64_t{device()} << 32 | device());
      second = static_cast<int64_t>(uint64_t{device()} << 32 | device());
    }
    key_ = static_cast<uint64_t>(first);
    stream_ = static_cast<uint64_t>(second);
  }

  // The first of `count` steps: a session's runs go on where the last one ended.
  static uint64_t take(const EvalContext& run, uint64_t count) {
    uint64_t* next = run.kept<uint64_t>();
    const uint64_t first = *next;
    *next += count;
    return first;
  }
  static constexpr size_t kKeptBytes = sizeof(uint64_t);

  Four at(uint64_t step) const {
    return philox(low(key_), high(key_), {low(step), high(step), low(stream_), high(stream_)});
  }

 private:
  static uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
  static uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }

  uint64_t key_ = 0, stream_ = 0;
};

// A number in [0, 1) of 23 random bits, and one of 52.
inline float unit_float(uint32_t bits) {
  const uint32_t in_1_to_2 = 127u << 23 | (bits & 0x7FFFFF);
  float x;
  std::memcpy(&x, &in_1_to_2, sizeof x);
  return x - 1.f;
}
inline double unit_double(uint32_t high, uint32_t low) {
  const uint64_t in_1_to_2 = uint64_t{1023} << 52 | uint64_t{high & 0xFFFFF} << 32 | low;
  double x;
  std::memcpy(&x, &in_1_to_2, sizeof x);
  return x - 1.0;
}

constexpr OpDef random_op(OpDef op) {
  op.random = true;
  return op;
}

// State of an op whose output has the shape in input 0, four floats a step.
struct RandomFloats {
  Random random;
  size_t count = 0;
};

Status check_random_floats(const OpView& op);
Status infer_random_floats(const OpView& op, std::vector<Shape>* shapes);
Status prepare_random_floats(PrepareContext& op);

// f(four, out) writes four floats.
template <typename F>
void eval_random_floats(const EvalContext& run, const F& f) {
  const RandomFloats& s = run.state<RandomFloats>();
  float* out = run.out<float>(0);
  uint64_t step = Random::take(run, (s.count + 3) / 4);
  for (size_t i = 0; i < s.count; i += 4, ++step) {
    float four[4];
    f(s.random.at(step), four);
    std::memcpy(out + i, four, (s.count - i < 4 ? s.count - i : 4) * sizeof(float));
  }
}

}  // namespace edge
