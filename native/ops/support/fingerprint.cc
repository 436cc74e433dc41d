#include "ops/support/fingerprint.h"

#include <cstring>
#include <utility>

namespace edge {
namespace {

// The hash's own primes.
constexpr uint64_t k0 = 0xc3a5c85c97cb3127, k1 = 0xb492b66fbe98f273, k2 = 0x9ae16a3b2f90404f;

using Pair = std::pair<uint64_t, uint64_t>;

template <typename T>
uint64_t load(const uint8_t* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
uint64_t word(const uint8_t* p) { return load<uint64_t>(p); }
uint64_t rotate(uint64_t v, int n) { return n == 0 ? v : v >> n | v << (64 - n); }
uint64_t fold(uint64_t v) { return v ^ v >> 47; }

uint64_t mix(uint64_t u, uint64_t v, uint64_t factor) {
  const uint64_t a = fold((u ^ v) * factor);
  return fold((v ^ a) * factor) * factor;
}

uint64_t up_to_16(const uint8_t* s, size_t n) {
  const uint64_t factor = k2 + n * 2;
  if (n >= 8) {
    const uint64_t a = word(s) + k2, b = word(s + n - 8);
    return mix(rotate(b, 37) * factor + a, (rotate(a, 25) + b) * factor, factor);
  }
  if (n >= 4) return mix(n + (load<uint32_t>(s) << 3), load<uint32_t>(s + n - 4), factor);
  if (n == 0) return k2;
  const uint64_t y = s[0] + (uint64_t{s[n / 2]} << 8), z = n + (uint64_t{s[n - 1]} << 2);
  return fold(y * k2 ^ z * k0) * k2;
}

uint64_t up_to_32(const uint8_t* s, size_t n) {
  const uint64_t factor = k2 + n * 2;
  const uint64_t a = word(s) * k1, b = word(s + 8);
  const uint64_t c = word(s + n - 8) * factor, d = word(s + n - 16) * k2;
  return mix(rotate(a + b, 43) + rotate(c, 30) + d, a + rotate(b + k2, 18) + c, factor);
}

uint64_t up_to_64(const uint8_t* s, size_t n) {
  const uint64_t factor = k2 + n * 2;
  const uint64_t a = word(s) * k2, b = word(s + 8);
  const uint64_t c = word(s + n - 8) * factor, d = word(s + n - 16) * k2;
  const uint64_t y = rotate(a + b, 43) + rotate(c, 30) + d;
  const uint64_t z = mix(y, a + rotate(b + k2, 18) + c, factor);
  const uint64_t e = word(s + 16) * factor, f = word(s + 24);
  const uint64_t g = (y + word(s + n - 32)) * factor, h = (z + word(s + n - 24)) * factor;
  return mix(rotate(e + f, 43) + rotate(g, 30) + h, e + rotate(f + a, 18) + g, factor);
}

// 32 bytes into a state of two words.
Pair absorb(const uint8_t* s, uint64_t a, uint64_t b) {
  const uint64_t last = word(s + 24);
  a += word(s);
  b = rotate(b + a + last, 21);
  const uint64_t sum = a + word(s + 8) + word(s + 16);
  return {sum + last, b + rotate(sum, 44) + a};
}

}  // namespace

uint64_t fingerprint(const uint8_t* s, size_t n) {
  if (n <= 16) return up_to_16(s, n);
  if (n <= 32) return up_to_32(s, n);
  if (n <= 64) return up_to_64(s, n);
  constexpr uint64_t kSeed = 81;
  uint64_t x = kSeed * k2 + word(s), y = kSeed * k1 + 113, z = fold(y * k2 + 113) * k2;
  Pair v{0, 0}, w{0, 0};
  const uint8_t *end = s + (n - 1) / 64 * 64, *last = s + n - 64;
  for (; s != end; s += 64) {
    x = rotate(x + y + v.first + word(s + 8), 37) * k1;
    y = rotate(y + v.second + word(s + 48), 42) * k1;
    x ^= w.second;
    y += v.first + word(s + 40);
    z = rotate(z + w.first, 33) * k1;
    v = absorb(s, v.second * k1, x + w.first);
    w = absorb(s + 32, z + w.second, y + word(s + 16));
    std::swap(z, x);
  }
  // The last 64 bytes, of which some were seen, with a factor of their own.
  const uint64_t factor = k1 + ((z & 255) << 1);
  w.first += (n - 1) & 63;
  v.first += w.first;
  w.first += v.first;
  x = rotate(x + y + v.first + word(last + 8), 37) * factor;
  y = rotate(y + v.second + word(last + 48), 42) * factor;
  x ^= w.second * 9;
  y += v.first * 9 + word(last + 40);
  z = rotate(z + w.first, 33) * factor;
  v = absorb(last, v.second * factor, x + w.first);
  w = absorb(last + 32, z + w.second, y + word(last + 16));
  std::swap(z, x);
  return mix(mix(v.first, w.first, factor) + fold(y) * k0 + z, mix(v.second, w.second, factor) + x,
             factor);
}

}  // namespace edge
