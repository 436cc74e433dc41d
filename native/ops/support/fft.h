// Fast Fourier transforms of powers of two, in double precision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace edge {

struct Complex {
  double re, im;
};

// y[k] = sum over j of x[j] * exp(-2 pi i j k / n), in place.
class Fft {
 public:
  static constexpr size_t kMost = size_t{1} << 20;

  explicit Fft(size_t n = 1);  // a power of two up to kMost
  size_t size() const { return reversed_.size(); }
  void run(Complex* x) const;

 private:
  std::vector<uint32_t> reversed_;  // index with its bits the other way round
  std::vector<Complex> turns_;      // exp(-2 pi i k / n), k < n / 2
};

// The first n / 2 + 1 of the transform of n real numbers; the others are their conjugates.
class RealFft {
 public:
  explicit RealFft(size_t n = 1);  // a power of two up to Fft::kMost
  size_t size() const { return n_; }
  size_t outputs() const { return n_ / 2 + 1; }
  // `y` holds the n numbers on entry, as if it were an array of double, and the results on return.
  void run(Complex* y) const;

 private:
  size_t n_;
  Fft half_;
  std::vector<Complex> turns_;  // exp(-2 pi i k / n), k <= n / 4
};

inline bool is_power_of_two(int64_t n) { return n > 0 && (n & (n - 1)) == 0; }

}  // namespace edge
