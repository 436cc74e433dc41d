#include <memory>

#include "kernels/depthwise/depthwise.h"
#include "kernels/testing.h"

namespace edge::depthwise {
namespace {

using testing::Guarded;
using testing::Random;

const std::vector<const Kernel*>& runnable() {
  static const std::vector<const Kernel*> found = [] {
    size_t count;
    const Kernel* all = kernels(&count);
    return testing::runnable(all, count);
  }();
  return found;
}

int32_t value(uint8_t byte, bool is_unsigned) {
  return is_unsigned ? byte : static_cast<int8_t>(byte);
}

struct Problem {
  Shape shape;
  size_t pixels, step;
  bool x_unsigned, w_unsigned;
  int32_t x_zero_point, w_zero_point;
  std::vector<Guarded<uint8_t>> x;  // some input pixels
  std::vector<uint8_t> w;
  std::vector<int32_t> bias;
  std::unique_ptr<bool[]> negate;
  std::vector<const void*> pointers;

  Problem(Random& random, Shape s, size_t count)
      : shape(s), pixels(count), w(s.taps * s.channels), bias(s.channels) {
    step = random.integer(0, 1) ? shape.taps : 1 + shape.taps / 3;
    x_unsigned = random.integer(0, 1);
    w_unsigned = random.integer(0, 1);
    x_zero_point = static_cast<int32_t>(random.integer(0, 255)) - (x_unsigned ? 0 : 128);
    w_zero_point = static_cast<int32_t>(random.integer(0, 255)) - (w_unsigned ? 0 : 128);
    const bool ends = random.integer(0, 3) == 0;  // only lowest and highest codes
    const auto byte = [&] {
      return static_cast<uint8_t>(ends ? 127 + random.integer(0, 1) : random.integer(0, 255));
    };
    for (int i = 0; i < 5; ++i) {
      x.emplace_back(shape.channels / shape.multiplier);
      for (size_t c = 0; c < x.back().size(); ++c) x.back()[c] = byte();
    }
    for (uint8_t& v : w) v = byte();
    for (int32_t& v : bias) v = random.any<int32_t>();
    if (random.integer(0, 1)) {
      negate = std::make_unique<bool[]>(bias.size());
      for (size_t i = 0; i < bias.size(); ++i) negate[i] = random.integer(0, 1);
    }
    for (size_t i = 0; i < (pixels - 1) * step + shape.taps; ++i) {
      pointers.push_back(x[random.integer(0, 4)].data());
    }
  }

  // The equation of depthwise.h, as it stands there.
  int32_t expected(size_t i, size_t c) const {
    int64_t sum = bias[c];
    for (size_t t = 0; t < shape.taps; ++t) {
      const uint8_t xb = static_cast<const uint8_t*>(pointers[i * step + t])[c / shape.multiplier];
      sum += int64_t{value(xb, x_unsigned) - x_zero_point} *
             (value(w[t * shape.channels + c], w_unsigned) - w_zero_point);
    }
    return static_cast<int32_t>(negate && negate[c] ? -sum : sum);  // wraps
  }
};

Arena packed_weights(const Kernel& kernel, const Problem& p) {
  Arena packed(packed_bytes(kernel, p.shape));
  pack(kernel,
       {p.shape, p.w.data(), p.w_unsigned, p.w_zero_point, p.x_zero_point, p.bias.data(),
        p.negate.get()},
       packed.data());
  return packed;
}

}  // namespace

TEST_CASE("depthwise: accumulators around the seams of channels, taps and pixels") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    for (size_t channels : {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48}) {
      for (size_t taps : {1, 2, 3, 8, 9, 10, 25}) {
        for (size_t multiplier : {1, 2, 8}) {
          if (multiplier != 1 && !kernel->any_multiplier) continue;
          Problem p(random, {channels * multiplier, multiplier, taps}, random.integer(1, 5));
          const Arena packed = packed_weights(*kernel, p);
          const size_t stride = (p.shape.channels + kernel->cr - 1) / kernel->cr * kernel->cr;
          Guarded<int32_t> acc(p.pixels * stride);
          kernel->run({p.pixels, p.shape, p.pointers.data(), p.step, p.x_unsigned, packed.data(),
                       acc.data(), stride});
          INFO(std::string(kernel->name) << " channels " << channels << " taps " << taps);
          CHECK(acc.intact());
          for (size_t i = 0; i < p.pixels; ++i) {
            for (size_t c = 0; c < p.shape.channels; ++c) {
              REQUIRE(acc[i * stride + c] == p.expected(i, c));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("depthwise: a row of pixels with requantization") {
  Random random;
  const Features features = testing::features();
  for (const Kernel* kernel : runnable()) {
    for (size_t channels : {3, 16, 130, 2100}) {
      Problem p(random, {channels, 1, 9}, 37);
      for (int32_t& b : p.bias) b = static_cast<int32_t>(random.integer(-100000, 100000));
      const Arena packed = packed_weights(*kernel, p);
      std::vector<int32_t> multiplier(channels, 0x60000000), exponent(channels, -9);
      Layer layer{kernel, p.shape, p.x_unsigned, packed.data(), nullptr, {}};
      layer.requantize = &requantize::select(features, requantize::Rule::kDoubleRounding);
      layer.params.multiplier = multiplier.data();
      layer.params.exponent = exponent.data();
      layer.params.zero_point = 100;
      layer.params.min = 0;
      layer.params.max = 255;
      Arena scratch(scratch_bytes(layer));
      Guarded<uint8_t> out(p.pixels * channels);
      run(layer, p.pointers.data(), p.step, p.pixels, out.data(), scratch.data());
      CHECK(out.intact());
      for (size_t i = 0; i < p.pixels; ++i) {
        for (size_t c = 0; c < channels; ++c) {
          const int32_t v =
              requantize::double_round(p.expected(i, c), multiplier[c], exponent[c]) + 100;
          REQUIRE(out[i * channels + c] == (v < 0 ? 0 : v > 255 ? 255 : v));
        }
      }
    }
  }
}

}  // namespace edge::depthwise
