// The kernels of x86, SSE4.1 and AVX2: a vector of 32-bit values or of bytes at a time; tails go
// through a buffer. Behind requantize/x86_<isa>.h, whose double rounding they use.
#pragma once

#include "kernels/elementwise/elementwise.h"
#include "kernels/x86_vectors.h"

namespace edge::elementwise {

using namespace x86;  // of this file's flags only, all static
using requantize::Dr;
using requantize::make_dr;

// step(i, left): elements i .. i + kLanes - 1, of which `left` exist. It is there twice, once with
// `left` known to be kLanes, so that the loop holds no trace of the tail.
template <typename Step>
[[gnu::flatten]] static void for_each(size_t n, const Step& step) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) step(i, kLanes);
  if (i < n) step(i, n - i);
}

// The bytes from x on, of which n >= 1 exist, as int32.
template <bool kUnsigned>
static Ints load_bytes(const void* x, size_t n) {
  if (n >= kLanes) return widen<kUnsigned>(x);
  uint64_t padded = 0;
  __builtin_memcpy(&padded, x, n);
  return widen<kUnsigned>(&padded);
}

// The same of codes of type T.
template <typename T>
static Ints load_codes(const T* x, size_t n) {
  if constexpr (sizeof(T) == 1) {
    return load_bytes<(static_cast<T>(-1) > 0)>(x, n);
  } else {
    if (n >= kLanes) return widen16(x);
    int16_t padded[kLanes] = {};
    __builtin_memcpy(padded, x, n * sizeof(int16_t));
    return widen16(padded);
  }
}

// The low bytes of n or more int32 within [-128, 255].
static void store_bytes(void* out, size_t n, Ints v) {
  if (n >= kLanes) return store_low_bytes(out, v);
  uint64_t bytes;
  store_low_bytes(&bytes, v);
  __builtin_memcpy(out, &bytes, n);
}

template <typename T>
static void store_codes(T* out, size_t n, Ints v) {
  if constexpr (sizeof(T) == 1) {
    store_bytes(out, n, v);
  } else {
    if (n >= kLanes) return store_low_words(out, v);
    int16_t words[kLanes];
    store_low_words(words, v);
    __builtin_memcpy(out, words, n * sizeof(int16_t));
  }
}

namespace {  // member functions are inline, and inline ones would leak out of this file

template <int kShift>
struct Add {
  Ints sign_a, sign_b;
  Dr dr_a, dr_b;

  static Add make(const Params8& p) {
    return {all32(p.sign_a), all32(p.sign_b), make_dr(p.ma, 0), make_dr(p.mb, 0)};
  }
  Ints operator()(Ints a, Ints b) const {
    a = requantize::apply(left32(a, kShift), dr_a);
    b = requantize::apply(left32(b, kShift), dr_b);
    return add32(with_sign32(a, sign_a), with_sign32(b, sign_b));
  }
};

struct Mul {
  static Mul make(const Params8&) { return {}; }
  Ints operator()(Ints a, Ints b) const { return multiply32(a, b); }
};

}  // namespace

template <typename T, typename Combine>
static void binary8(const Args8& args) {
  const Params8& p = *args.params;
  const Combine combine = Combine::make(p);
  const Dr dr = make_dr(p.mo, p.zero_out);
  const Ints zero_a = all32(p.zero_a), zero_b = all32(p.zero_b);
  const Ints min = all32(p.min), max = all32(p.max);
  const T* a = static_cast<const T*>(args.a);
  const T* b = static_cast<const T*>(args.b);
  Ints scalar = zero();
  if (args.b_scalar) scalar = all32(*b);
  for_each(args.n, [&](size_t i, size_t left) {
    const Ints vb = args.b_scalar ? scalar : load_codes(b + i, left);
    const Ints va = load_codes(a + i, left);
    const Ints x = combine(sub32(va, zero_a), sub32(vb, zero_b));
    store_codes(static_cast<T*>(args.out) + i, left, clamp32(requantize::apply(x, dr), min, max));
  });
}

// Bytes are widened by unpacking and narrowed by packing, both within lanes, which keeps the order.
static void linear(const Args8& args) {
  const Linear& p = args.params->linear;
  const Ints flips = all8(p.flip);
  const Ints min = flip(all8(args.params->min), flips), max = flip(all8(args.params->max), flips);
  const auto pair = [](int16_t a, int16_t b) {
    return all32(static_cast<int32_t>(static_cast<uint16_t>(a) | static_cast<uint32_t>(b) << 16));
  };
  const Ints high = pair(p.high_a, p.high_b), low = pair(p.low_a, p.low_b);
  const Ints offset = all32(p.offset), none = zero();
  const int shift = p.shift;
  const auto sum = [&](Ints pairs) {
    const Ints upper = left32(madd16(pairs, high), 8), lower = right32(madd16(pairs, low), 7);
    return right32(add32(add32(upper, lower), offset), shift);
  };
  const auto step = [&](const uint8_t* a, const uint8_t* b, uint8_t* out) {
    const Ints va = flip(loadu(a), flips), vb = flip(loadu(b), flips);
    const Ints first = low8(va, vb), last = high8(va, vb);
    const Ints words = pack32(sum(low8(first, none)), sum(high8(first, none)));
    const Ints more = pack32(sum(low8(last, none)), sum(high8(last, none)));
    storeu(out, flip(clamp_unsigned8(pack_unsigned16(words, more), min, max), flips));
  };
  const uint8_t* a = static_cast<const uint8_t*>(args.a);
  const uint8_t* b = static_cast<const uint8_t*>(args.b);
  uint8_t* out = static_cast<uint8_t*>(args.out);
  constexpr size_t kStep = sizeof(Ints);
  uint8_t same[kStep];
  if (args.b_scalar) storeu(same, all8(*b));
  size_t i = 0;
  for (; i + kStep <= args.n; i += kStep) step(a + i, args.b_scalar ? same : b + i, out + i);
  if (i < args.n) {
    uint8_t x[kStep] = {}, y[kStep] = {};
    __builtin_memcpy(x, a + i, args.n - i);
    if (!args.b_scalar) __builtin_memcpy(y, b + i, args.n - i);
    step(x, args.b_scalar ? same : y, x);
    __builtin_memcpy(out + i, x, args.n - i);
  }
}

// pshufb looks up 16 entries; a lane whose high nibble names another 16 gets an index with bit 7
// set, which gives zero, so that the 16 lookups are ORed.
static void look_up(const LutArgs& args) {
  Ints rows[16];
  for (int r = 0; r < 16; ++r) {
    rows[r] = all128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(args.table) + r));
  }
  const Ints beyond = all8(0x70);
  size_t i = 0;
  for (; i + sizeof(Ints) <= args.n; i += sizeof(Ints)) {
    const Ints x = loadu(args.x + i);
    Ints found = zero();
#pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) {
      const Ints index = add_unsigned8(flip(x, all8(r << 4)), beyond);
      found = either(found, look_up8(rows[r], index));
    }
    storeu(args.out + i, found);
  }
  for (; i < args.n; ++i) args.out[i] = args.table[args.x[i]];
}

// n >= 1 floats.
static Floats load_some(const float* x, size_t n) {
  if (n >= kLanes) return loadu_floats(x);
  float padded[kLanes] = {};
  for (size_t i = 0; i < n; ++i) padded[i] = x[i];
  return loadu_floats(padded);
}

static void store_some(float* out, size_t n, Floats v) {
  if (n >= kLanes) return storeu_floats(out, v);
  float values[kLanes];
  storeu_floats(values, v);
  for (size_t i = 0; i < n; ++i) out[i] = values[i];
}

static void quantize(const ConvertArgs& args, int32_t lowest, int32_t highest) {
  const Floats scale = all_floats(args.scale), sign = all_floats(-0.0f);
  const Ints zero_point = all32(args.zero_point), min = all32(lowest), max = all32(highest);
  for_each(args.n, [&](size_t i, size_t left) {
    const Floats v = load_some(static_cast<const float*>(args.x) + i, left) / scale;
    const Floats whole = cut_floats(v), signs = bits_and(sign, v);
    const Floats rest = without_sign(v - whole);  // exact
    const Floats away =
        bits_and(at_least(rest, all_floats(0.5f)), bits_or(all_floats(1.0f), signs));
    // What does not fit, NaN too, becomes INT32_MIN.
    const Ints q = cut(whole + away);
    store_bytes(static_cast<uint8_t*>(args.out) + i, left, clamp32(add32(q, zero_point), min, max));
  });
}

template <bool kUnsigned>
static void dequantize(const ConvertArgs& args) {
  const Floats scale = all_floats(args.scale);
  const Ints zero_point = all32(args.zero_point);
  for_each(args.n, [&](size_t i, size_t left) {
    const Ints q = load_bytes<kUnsigned>(static_cast<const uint8_t*>(args.x) + i, left);
    store_some(static_cast<float*>(args.out) + i, left, scale * to_floats(sub32(q, zero_point)));
  });
}

template <Floats (*kFunction)(Floats, Floats)>
static void binary_f32(const ArgsF32& args) {
  const Floats min = all_floats(args.min), max = all_floats(args.max);
  for_each(args.n, [&](size_t i, size_t left) {
    const Floats a = args.a_scalar ? all_floats(*args.a) : load_some(args.a + i, left);
    const Floats b = args.b_scalar ? all_floats(*args.b) : load_some(args.b + i, left);
    // In this order of operands a NaN stays one.
    store_some(args.out + i, left, min_floats(max, max_floats(min, kFunction(a, b))));
  });
}

static inline Floats add(Floats a, Floats b) { return a + b; }
static inline Floats sub(Floats a, Floats b) { return a - b; }
static inline Floats mul(Floats a, Floats b) { return a * b; }
static inline Floats div(Floats a, Floats b) { return a / b; }
static inline Floats prelu(Floats a, Floats b) {
  return choose(at_least(a, all_floats(0)), a, a * b);
}

}  // namespace edge::elementwise
