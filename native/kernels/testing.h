// What the tests of the kernel families share.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/cpu.h"
#include "base/status.h"

namespace edge::testing {

// Seeded by the running test's name: every run of a test sees the same numbers, no two tests do.
class Random {
 public:
  Random() {
    uint32_t hash = 2166136261u;  // FNV-1a
    for (const char* c = doctest::getContextOptions()->currentTest->m_name; *c; ++c) {
      hash = (hash ^ static_cast<uint8_t>(*c)) * 16777619u;
    }
    engine_.seed(hash);
  }
  // Uniform in [low, high].
  int64_t integer(int64_t low, int64_t high) {
    const uint64_t bits = uint64_t{engine_()} << 32 | engine_();
    return low + static_cast<int64_t>(bits % static_cast<uint64_t>(high - low + 1));
  }
  float real(float low, float high) {
    return low + (high - low) * static_cast<float>(engine_() * 0x1p-32);
  }
  template <typename T>
  T any() {
    return static_cast<T>(integer(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  }
  template <typename T, size_t N>
  T pick(const T (&choices)[N]) {
    return choices[integer(0, N - 1)];
  }

 private:
  std::mt19937 engine_;
};

// n elements with canaries before and behind; the ones behind are what kernels may read.
template <typename T>
class Guarded {
 public:
  explicit Guarded(size_t n) : n_(n), bytes_(n * sizeof(T) + 2 * kOverread, kCanary) {}
  T* data() { return reinterpret_cast<T*>(bytes_.data() + kOverread); }
  T& operator[](size_t i) { return data()[i]; }
  size_t size() const { return n_; }
  bool intact() const {
    for (size_t i = 0; i < kOverread; ++i) {
      if (bytes_[i] != kCanary || bytes_[bytes_.size() - 1 - i] != kCanary) return false;
    }
    return true;
  }
  std::vector<T> values() {
    std::vector<T> v(n_);
    if (n_ > 0) std::memcpy(v.data(), data(), n_ * sizeof(T));
    return v;
  }

 private:
  static constexpr uint8_t kCanary = 0xa5;
  size_t n_;
  std::vector<uint8_t> bytes_;
};

inline Features features() {
  Features f = 0;
  const Status status = active_features(&f);
  REQUIRE_MESSAGE(status.ok(), status.message());
  return f;
}

// Those of a family's kernels that this CPU runs; prints their names.
template <typename Kernel>
std::vector<const Kernel*> runnable(const Kernel* kernels, size_t count) {
  std::vector<const Kernel*> found;
  std::string names;
  for (size_t i = 0; i < count; ++i) {
    if ((kernels[i].needs & ~features()) != 0) continue;
    found.push_back(&kernels[i]);
    names += std::string(" ") + kernels[i].name;
  }
  MESSAGE("ran" << names);
  return found;
}

// The sizes around the seam of a tile of n.
inline std::vector<size_t> around(size_t n) {
  std::vector<size_t> sizes{1, n, n + 1, 2 * n + 1};
  if (n > 2) sizes.push_back(n - 1);
  return sizes;
}

}  // namespace edge::testing
