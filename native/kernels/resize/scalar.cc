// The definitions.
#include <type_traits>

#include "kernels/resize/resize.h"

namespace edge::resize {
namespace {

// Calls pixel(tl, bl, tr, br, near_low, near_high, out) for each element.
template <typename T, typename Pixel>
void row(const Args& args, const Pixel& pixel) {
  const T *top = static_cast<const T*>(args.top), *bottom = static_cast<const T*>(args.bottom);
  T* out = static_cast<T*>(args.out);
  for (size_t i = 0; i < args.cols; ++i) {
    const Place& p = args.places[i];
    const size_t low = p.low * args.channels, high = p.high * args.channels;
    for (size_t c = 0; c < args.channels; ++c) {
      *out++ = pixel(top[low + c], bottom[low + c], top[high + c], bottom[high + c], p);
    }
  }
}

template <typename T>
void real(const Args& args) {
  const float t = args.near_top, b = args.near_bottom;
  row<T>(args, [=](T tl, T bl, T tr, T br, const Place& p) {
    const float l = p.near_low, r = p.near_high;
    const float mean = static_cast<float>(tl) * t * l + static_cast<float>(bl) * b * l +
                       static_cast<float>(tr) * t * r + static_cast<float>(br) * b * r;
    return std::is_integral_v<T> ? static_cast<T>(mean + 0.5f) : static_cast<T>(mean);
  });
}

// Sums of int8 need 28 bits, of int16 36.
template <typename T, typename Sum>
void integer(const Args& args) {
  const Sum t = static_cast<Sum>(args.near_top), b = static_cast<Sum>(args.near_bottom);
  row<T>(args, [=](T tl, T bl, T tr, T br, const Place& p) {
    const Sum l = static_cast<Sum>(p.near_low), r = static_cast<Sum>(p.near_high);
    const Sum sum = (tl * t + bl * b) * l + (tr * t + br * b) * r;
    constexpr Sum kHalf = Sum{1} << 19, kUnit = Sum{1} << 20;
    return static_cast<T>((sum + (sum > 0 ? kHalf : -kHalf)) / kUnit);
  });
}

}  // namespace

void resize_f32_scalar(const Args& args) { real<float>(args); }
void resize_u8_scalar(const Args& args) { real<uint8_t>(args); }
void resize_u8_sixteenths_scalar(const Args& args) {
  const int t = static_cast<int>(args.near_top * 16), b = static_cast<int>(args.near_bottom * 16);
  row<uint8_t>(args, [=](uint8_t tl, uint8_t bl, uint8_t tr, uint8_t br, const Place& p) {
    const int l = static_cast<int>(p.near_low * 16), r = static_cast<int>(p.near_high * 16);
    return static_cast<uint8_t>(((tl * t + bl * b) * l + (tr * t + br * b) * r + 128) >> 8);
  });
}
void resize_i8_scalar(const Args& args) { integer<int8_t, int32_t>(args); }
void resize_i16_scalar(const Args& args) { integer<int16_t, int64_t>(args); }

}  // namespace edge::resize
