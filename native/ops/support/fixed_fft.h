// The Fourier transform of real int16 numbers in fixed point, with the bits of KISS FFT (version
// 1.3.0), which TensorFlow Lite Micro's audio front end is defined by: radix 4, then 2, and every
// stage divides its inputs by its radix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace edge {

class FixedRealFft {
 public:
  struct Value {
    int16_t re, im;
  };

  explicit FixedRealFft(size_t n = 4);  // a power of two from 4 on
  size_t size() const { return n_; }
  // `x` holds n numbers, y gets n / 2 + 1, `work` is n / 2 long. y may be x's memory.
  void run(const int16_t* x, Value* work, Value* y) const;

 private:
  void transform(const Value* in, size_t stride, size_t n, Value* out) const;
  void join2(Value* out, size_t stride, size_t m) const;
  void join4(Value* out, size_t stride, size_t m) const;

  size_t n_;
  std::vector<Value> turns_;       // of n / 2
  std::vector<Value> last_turns_;  // of n
};

}  // namespace edge
