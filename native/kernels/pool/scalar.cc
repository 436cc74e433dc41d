// The definitions.
#include "kernels/pool/pool.h"

namespace edge::pool {
namespace {

template <typename T>
T at(const Args& args, size_t t, size_t c) {
  return static_cast<const T*>(args.x[t])[c];
}

template <typename V>
V clamp(V v, V min, V max) {
  v = v < min ? min : v;
  return v > max ? max : v;
}

template <typename T>
int32_t sum(const Args& args, size_t c) {
  int32_t s = 0;
  for (size_t t = 0; t < args.taps; ++t) s += at<T>(args, t, c);
  return s;
}

template <typename T>
void average(const Args& args) {
  const int32_t n = static_cast<int32_t>(args.taps);
  for (size_t c = 0; c < args.channels; ++c) {
    const int32_t a = sum<T>(args, c);
    const int32_t v = (a > 0 ? a + n / 2 : a - n / 2) / n;
    static_cast<T*>(args.out)[c] = static_cast<T>(clamp(v, args.min, args.max));
  }
}

template <typename T, typename V>
void max(const Args& args, V lowest, V highest) {
  for (size_t c = 0; c < args.channels; ++c) {
    T v = at<T>(args, 0, c);
    for (size_t t = 1; t < args.taps; ++t) v = at<T>(args, t, c) > v ? at<T>(args, t, c) : v;
    static_cast<T*>(args.out)[c] = static_cast<T>(clamp<V>(v, lowest, highest));
  }
}

template <typename T>
void add_sum(const Args& args) {
  for (size_t c = 0; c < args.channels; ++c) static_cast<int32_t*>(args.out)[c] += sum<T>(args, c);
}

}  // namespace

void average_i8_scalar(const Args& args) { average<int8_t>(args); }
void average_u8_scalar(const Args& args) { average<uint8_t>(args); }
void average_i16_scalar(const Args& args) { average<int16_t>(args); }
void max_i8_scalar(const Args& args) { max<int8_t, int32_t>(args, args.min, args.max); }
void max_u8_scalar(const Args& args) { max<uint8_t, int32_t>(args, args.min, args.max); }
void max_i16_scalar(const Args& args) { max<int16_t, int32_t>(args, args.min, args.max); }
void max_f32_scalar(const Args& args) { max<float, float>(args, args.min_f32, args.max_f32); }
void sum_i8_scalar(const Args& args) { add_sum<int8_t>(args); }
void sum_u8_scalar(const Args& args) { add_sum<uint8_t>(args); }

void average_f32_scalar(const Args& args) {
  for (size_t c = 0; c < args.channels; ++c) {
    float s = 0;
    for (size_t t = 0; t < args.taps; ++t) s += at<float>(args, t, c);
    static_cast<float*>(args.out)[c] =
        clamp(s / static_cast<float>(args.taps), args.min_f32, args.max_f32);
  }
}

}  // namespace edge::pool
