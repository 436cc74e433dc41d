#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

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

int16_t word_at(const void* words, size_t i) {
  int16_t v;
  std::memcpy(&v, static_cast<const uint8_t*>(words) + 2 * i, sizeof v);
  return v;
}

struct Problem {
  Shape shape;
  size_t pixels, rows, column_rows;
  bool is_unsigned;
  int32_t x_zero_point, w_zero_point;
  std::vector<Guarded<uint8_t>> x;  // some input pixels
  std::vector<uint8_t> w;
  std::vector<int32_t> bias;
  std::unique_ptr<bool[]> negate;
  std::vector<const void*> pointers;
  std::vector<int32_t> multiplier, exponent;
  requantize::Params params;

  Problem(Random& random, const Kernel& kernel, Shape s, size_t count)
      : shape(s), pixels(count), w(s.height * s.width * s.channels), bias(s.channels) {
    const Layout layout = kernel.layout;
    shape.wide = kernel.wide;
    shape.stride = static_cast<size_t>(random.integer(1, 3));
    shape.dilation = layout == Layout::kTaps ? 1 : static_cast<size_t>(random.integer(1, 2));
    shape.row_step = static_cast<size_t>(random.integer(0, 2));
    rows = static_cast<size_t>(random.integer(1, int64_t(rows_at_once(layout, shape))));
    column_rows = depthwise::column_rows(layout, shape);
    is_unsigned = !shape.wide && random.integer(0, 1);
    const int32_t low = is_unsigned ? 0 : -128;
    const auto code = [&] { return low + static_cast<int32_t>(random.integer(0, 255)); };
    x_zero_point = code();
    w_zero_point = random.integer(0, 1) ? low + 128 : code();
    if (shape.wide) x_zero_point = w_zero_point = 0;
    const bool ends = random.integer(0, 3) == 0;  // only lowest and highest codes
    const auto byte = [&] {
      return static_cast<uint8_t>(ends ? 127 + random.integer(0, 1) : random.integer(0, 255));
    };
    for (int i = 0; i < 5; ++i) {
      x.emplace_back(shape.channels / shape.multiplier * element());
      for (size_t c = 0; c < x.back().size(); ++c) x.back()[c] = byte();
    }
    for (uint8_t& v : w) v = byte();
    for (int32_t& v : bias) v = static_cast<int32_t>(random.integer(-100000, 100000));
    // Pruned channels: all depends on the bias, which may be any.
    for (size_t c = 0; c < shape.channels; ++c) {
      if (random.integer(0, 3) != 0) continue;
      for (size_t i = c; i < w.size(); i += shape.channels)
        w[i] = static_cast<uint8_t>(w_zero_point);
      bias[c] = random.any<int32_t>();
    }
    if (random.integer(0, 1)) {
      negate = std::make_unique<bool[]>(bias.size());
      for (size_t i = 0; i < bias.size(); ++i) negate[i] = random.integer(0, 1);
    }
    const size_t columns = (pixels - 1) * shape.stride + (shape.width - 1) * shape.dilation + 1;
    for (size_t i = 0; i < columns * column_rows; ++i) {
      pointers.push_back(x[static_cast<size_t>(random.integer(0, 4))].data());
    }
    // Exponents above 0 and power-of-two multipliers keep kernels from finishing a block.
    const int64_t highest = random.integer(-9, 1);
    for (size_t c = 0; c < shape.channels; ++c) {
      multiplier.push_back(random.integer(0, 99) == 0 ? 1 << 30
                                                      : random.integer(1 << 30, INT32_MAX));
      exponent.push_back(static_cast<int32_t>(random.integer(-12, highest)));
    }
    params.multiplier = multiplier.data();
    params.exponent = exponent.data();
    params.zero_point = code();
    params.min = random.integer(0, 1)
                     ? params.zero_point
                     : static_cast<int32_t>(random.integer(low, params.zero_point));
    // As with a relu: negative results may saturate.
    if (random.integer(0, 1)) params.zero_point = params.min = low;
    params.max = static_cast<int32_t>(random.integer(params.zero_point, low + 255));
    if (random.integer(0, 1)) params.max = low + 255;
    if (shape.wide) {
      params.zero_point = 0;
      params.min = static_cast<int32_t>(random.integer(-32768, 0));
      params.max = static_cast<int32_t>(random.integer(1, 32767));
    }
  }

  size_t element() const { return shape.wide ? sizeof(int16_t) : 1; }

  // The equations of depthwise.h, as they stand there; weights lie column by column.
  int32_t expected(size_t j, size_t i, size_t c) const {
    int64_t sum = bias[c];
    for (size_t fx = 0; fx < shape.width; ++fx) {
      for (size_t fy = 0; fy < shape.height; ++fy) {
        const size_t column = i * shape.stride + fx * shape.dilation;
        const void* pixel = pointers[column * column_rows + j * shape.row_step + fy];
        const size_t from = c / shape.multiplier;
        const int32_t xv = shape.wide
                               ? word_at(pixel, from)
                               : value(static_cast<const uint8_t*>(pixel)[from], is_unsigned);
        const uint8_t wb = w[(fx * shape.height + fy) * shape.channels + c];
        sum += int64_t{xv - x_zero_point} * (value(wb, is_unsigned) - w_zero_point);
      }
    }
    const int32_t acc = static_cast<int32_t>(negate && negate[c] ? -sum : sum);  // wraps
    const int32_t v = requantize::double_round(acc, multiplier[c], exponent[c]);
    const int32_t biased = requantize::wrapping_add(v, params.zero_point);
    return std::clamp(biased, params.min, params.max);
  }
};

void check(const Kernel& kernel, Problem& p) {
  Layer layer{
      &kernel,
      p.shape,
      p.is_unsigned,
      nullptr,
      &requantize::select(testing::features(), kernel.wide ? requantize::Rule::kWideDoubleRounding
                                                           : requantize::Rule::kDoubleRounding),
      p.params};
  Arena packed(packed_bytes(layer)), scratch(scratch_bytes(layer));
  pack({p.w.data(), p.is_unsigned, p.w_zero_point, p.x_zero_point, p.bias.data(), p.negate.get()},
       &layer, packed.data());
  const size_t row = p.pixels * p.shape.channels, gap = 5, element = p.element();
  Guarded<uint8_t> out(p.rows * (row + gap) * element);
  std::memset(out.data(), 0x5a, out.size());
  run(layer, p.pointers.data(), p.pixels, p.rows, out.data(), (row + gap) * element,
      scratch.data());
  INFO(std::string(kernel.name) << " channels " << p.shape.channels << " window " << p.shape.height
                                << "x" << p.shape.width << " pixels " << p.pixels << " rows "
                                << p.rows);
  CHECK(out.intact());
  for (Guarded<uint8_t>& pixel : p.x) CHECK(pixel.intact());
  for (size_t j = 0; j < p.rows; ++j) {
    for (size_t k = 0; k < row + gap; ++k) {
      const size_t at = j * (row + gap) + k;
      const int32_t got = p.shape.wide ? word_at(out.data(), at) : out[at];
      const int32_t untouched = p.shape.wide ? 0x5a5a : 0x5a;
      const int32_t expected =
          k < row ? p.expected(j, k / p.shape.channels, k % p.shape.channels) : untouched;
      REQUIRE(got == (p.shape.wide ? expected : static_cast<uint8_t>(expected)));
    }
  }
}

}  // namespace

TEST_CASE("depthwise: around the seams of channels, windows and pixels") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    for (size_t channels : {1, 7, 8, 9, 15, 16, 17, 33, 63, 64, 65}) {
      for (const auto& [height, width] : std::vector<std::pair<size_t, size_t>>{
               {1, 1}, {1, 3}, {2, 2}, {3, 3}, {4, 1}, {3, 5}, {5, 5}, {9, 2}}) {
        for (size_t multiplier : {1, 2, 8}) {
          if (multiplier != 1 && !kernel->any_multiplier) continue;
          const size_t pixels = static_cast<size_t>(random.integer(1, 9));
          Problem p(random, *kernel, {channels * multiplier, multiplier, height, width}, pixels);
          check(*kernel, p);
        }
      }
    }
  }
}

TEST_CASE("depthwise: long rows and many channels") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    for (size_t channels : {3, 16, 130, 2100}) {
      Problem p(random, *kernel, {channels, 1, 3, 3}, 37);
      check(*kernel, p);
    }
  }
}

TEST_CASE("depthwise: packed weights never wrap to few bytes, on 32 bits neither") {
  for (const Kernel* kernel : runnable()) {
    const Shape shape{1, 1, 1, size_t{1} << 30};
    CHECK(packed_bytes({kernel, shape, false, nullptr, nullptr, {}}) >= shape.width);
  }
}

// Where a sum that is rounded up, not cut, would be one step too far.
TEST_CASE("depthwise: accumulators next to the steps of the output") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    if (kernel->wide) continue;
    for (int round = 0; round < 40; ++round) {
      Problem p(random, *kernel, {64, 1, 3, 3}, 5);
      // Pixels of the zero point leave the bias alone.
      for (Guarded<uint8_t>& x : p.x) std::memset(x.data(), p.x_zero_point, x.size());
      for (uint8_t& w : p.w) w = static_cast<uint8_t>(p.w_zero_point + 1);
      p.negate = nullptr;
      const int32_t low = p.is_unsigned ? 0 : -128;
      p.params.zero_point = p.params.min = low;
      p.params.max = low + 255;
      // One multiplier, so that all channels are proved in some rounds.
      const int32_t m = static_cast<int32_t>(random.integer(1 << 30, INT32_MAX));
      for (size_t c = 0; c < p.shape.channels; ++c) {
        p.multiplier[c] = m;
        p.exponent[c] = -13;
        const double k = static_cast<double>(random.integer(64, 255));
        const double step = (k - 0.5) * std::ldexp(1.0, 31 + 13) / m;
        p.bias[c] = static_cast<int32_t>(step) + static_cast<int32_t>(random.integer(-1, 1));
      }
      check(*kernel, p);
    }
  }
}

}  // namespace edge::depthwise
