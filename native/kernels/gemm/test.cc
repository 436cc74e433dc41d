#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/gemm/gemm.h"
#include "kernels/testing.h"

namespace edge::gemm {
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

// A convolution's worth of numbers: `sources` distinct input pixels that rows and taps point to.
struct Problem {
  Shape shape;
  size_t rows;
  bool x_unsigned, w_unsigned;
  int32_t x_zero_point, w_zero_point;
  Guarded<uint8_t> x;
  std::vector<uint8_t> w;
  std::vector<int32_t> bias;
  std::unique_ptr<bool[]> negate;
  std::vector<size_t> pixel;  // [taps][rows] -> which pixel of x

  Problem(Random& random, Shape s, size_t r)
      : shape(s), rows(r), x((r + s.taps) * s.depth), w(s.cols * s.taps * s.depth), bias(s.cols) {
    x_unsigned = random.integer(0, 1);
    w_unsigned = x_unsigned;
    x_zero_point = static_cast<int32_t>(random.integer(0, 255)) - (x_unsigned ? 0 : 128);
    w_zero_point = static_cast<int32_t>(random.integer(0, 255)) - (w_unsigned ? 0 : 128);
    for (size_t i = 0; i < x.size(); ++i) x[i] = random.any<uint8_t>();
    for (uint8_t& v : w) v = random.any<uint8_t>();
    for (int32_t& v : bias) v = random.any<int32_t>();
    if (random.integer(0, 1)) {
      negate = std::make_unique<bool[]>(bias.size());
      for (size_t i = 0; i < bias.size(); ++i) negate[i] = random.integer(0, 1);
    }
    for (size_t i = 0; i < shape.taps * rows; ++i) {
      pixel.push_back(static_cast<size_t>(random.integer(0, rows + shape.taps - 1)));
    }
  }

  // The equation of gemm.h, as it stands there.
  int32_t expected(size_t i, size_t n) const {
    const auto value = [](uint8_t byte, bool is_unsigned) {
      return is_unsigned ? byte : static_cast<int8_t>(byte);
    };
    int64_t sum = bias[n];
    for (size_t t = 0; t < shape.taps; ++t) {
      for (size_t k = 0; k < shape.depth; ++k) {
        const uint8_t xb = const_cast<Guarded<uint8_t>&>(x)[pixel[t * rows + i] * shape.depth + k];
        const uint8_t wb = w[(n * shape.taps + t) * shape.depth + k];
        sum +=
            int64_t{value(xb, x_unsigned) - x_zero_point} * (value(wb, w_unsigned) - w_zero_point);
      }
    }
    return static_cast<int32_t>(negate && negate[n] ? -sum : sum);  // wraps
  }
};

struct Prepared {
  Arena packed, scratch;
  Layer layer;

  // Without `params` the results are the accumulators.
  Prepared(const Kernel& kernel, const Problem& p, const requantize::Params* params = nullptr) {
    layer = {&kernel, p.shape, p.x_unsigned, nullptr, nullptr, {}};
    if (params != nullptr) {
      layer.params = *params;
      layer.requantize =
          &requantize::select(testing::features(), requantize::Rule::kDoubleRounding);
    }
    const Weights weights{p.shape,        p.w.data(),    p.w_unsigned,  p.w_zero_point,
                          p.x_zero_point, p.bias.data(), p.negate.get()};
    packed = Arena(packed_bytes(layer, weights));
    pack(weights, &layer, packed.data());
    scratch = Arena(scratch_bytes(layer));
  }
};

std::vector<const void*> pointers(Problem& p) {
  std::vector<const void*> x;
  for (size_t pixel : p.pixel) x.push_back(p.x.data() + pixel * p.shape.depth);
  return x;
}

void check_accumulators(const Kernel& kernel, Problem& p, size_t first_col) {
  Prepared prepared(kernel, p);
  const size_t stride = p.shape.cols + 2;
  Guarded<int32_t> out(p.rows * stride);
  std::memset(out.data(), 0, out.size() * sizeof(int32_t));
  const std::vector<const void*> x = pointers(p);
  REQUIRE(p.rows <= block_rows(prepared.layer));
  run(prepared.layer, x.data(), p.rows, p.rows, first_col, p.shape.cols, out.data(), stride,
      prepared.scratch.data());
  INFO(std::string(kernel.name) << " rows " << p.rows << " cols " << first_col << ".."
                                << p.shape.cols << " taps " << p.shape.taps << " depth "
                                << p.shape.depth);
  CHECK(out.intact());
  CHECK(p.x.intact());
  for (size_t i = 0; i < p.rows; ++i) {
    for (size_t n = 0; n < stride; ++n) {
      const bool inside = n >= first_col && n < p.shape.cols;
      REQUIRE(out[i * stride + n] == (inside ? p.expected(i, n) : 0));
    }
  }
}

void check_bytes(const Kernel& kernel, Problem& p, const requantize::Params& params) {
  const size_t cols = p.shape.cols;
  Prepared prepared(kernel, p, &params);
  const size_t stride = cols + 3;
  Guarded<uint8_t> out(p.rows * stride);
  std::memset(out.data(), 0x5a, out.size());
  const std::vector<const void*> x = pointers(p);
  run(prepared.layer, x.data(), p.rows, p.rows, 0, cols, out.data(), stride,
      prepared.scratch.data());
  CHECK(out.intact());
  INFO(kernel.name << " cols " << cols);
  for (size_t i = 0; i < p.rows; ++i) {
    for (size_t n = 0; n < stride; ++n) {
      int32_t v = 0x5a;
      if (n < cols) {
        v = requantize::double_round(p.expected(i, n), params.multiplier[n], params.exponent[n]);
        v = requantize::wrapping_add(v, params.zero_point);
        v = std::clamp(v, params.min, params.max);
      }
      INFO("row " << i << " column " << n);
      REQUIRE(out[i * stride + n] == static_cast<uint8_t>(v));
    }
  }
}

}  // namespace

TEST_CASE("gemm: accumulators around the seams of the tile") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    for (size_t rows : testing::around(kernel->mr)) {
      std::vector<size_t> all_cols = testing::around(kernel->nr);
      all_cols.insert(all_cols.end(), {kernel->nr / size_t{2}, kernel->nr / size_t{2} + 1});
      for (size_t cols : all_cols) {
        for (size_t depth : {1, 2, 3, 7, 8, 9, 15, 16, 17, 33}) {
          for (size_t taps : {1, 9}) {
            Problem p(random, {cols, size_t(taps), depth}, rows);
            check_accumulators(*kernel, p, 0);
          }
        }
      }
    }
  }
}

TEST_CASE("gemm: part of the columns, and more than one block of them") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    for (size_t cols : {127, 128, 129, 300}) {
      Problem p(random, {cols, 1, 10}, kernel->mr);
      check_accumulators(*kernel, p, 0);
      if (cols > 2u * kernel->nr) check_accumulators(*kernel, p, 2 * kernel->nr);
    }
  }
}

TEST_CASE("gemm: all inputs and weights at their ends") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    for (int ends = 0; ends < 8; ++ends) {
      Problem p(random, {kernel->nr + size_t{1}, size_t{9}, 64}, kernel->mr);
      p.x_unsigned = ends & 1;
      p.w_unsigned = p.x_unsigned;
      const auto end = [](bool is_unsigned, bool high) {
        return is_unsigned ? (high ? 255 : 0) : (high ? 127 : -128);
      };
      std::memset(p.x.data(), end(p.x_unsigned, ends & 4), p.x.size());
      std::memset(p.w.data(), end(p.w_unsigned, ends & 2), p.w.size());
      // Zero points at the other ends make the largest differences: 255 * 255 each.
      p.x_zero_point = end(p.x_unsigned, !(ends & 4));
      p.w_zero_point = end(p.w_unsigned, !(ends & 2));
      check_accumulators(*kernel, p, 0);
    }
  }
}

// Kernels may add up 2 or 4 products in int16 where the weights prove that they fit.
TEST_CASE("gemm: chains of products around the limit of int16") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    for (int most = 253; most <= 257; ++most) {
      for (int parts : {2, 4}) {
        for (int x : {-128, 127}) {
          Problem p(random, {kernel->nr + size_t{1}, size_t{2}, 40}, kernel->mr);
          p.x_unsigned = p.w_unsigned = false;
          p.w_zero_point = 0;
          std::memset(p.x.data(), x, p.x.size());
          for (size_t k = 0; k < p.w.size(); k += 2) {
            // All of a column have one sign; k, k + 2, ... add up to `most`.
            const int i = static_cast<int>(k / 2) % parts;
            const int part = (most + i) / parts;
            const int sign = k / p.shape.depth % 2 ? -1 : 1;
            p.w[k] = static_cast<uint8_t>(std::clamp(sign * part, -128, 127));
            p.w[k + 1] = static_cast<uint8_t>(random.integer(-128, 127));
          }
          check_accumulators(*kernel, p, 0);
        }
      }
    }
  }
}

// Blocks of zeros, of the size that all kernels leave out, of their own steps' or of none.
TEST_CASE("gemm: weights of which blocks are zero") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    for (int zeros : {0, 50, 90, 100}) {
      for (size_t cols : {8, 16, 40, 130}) {
        for (size_t depth : {3, 8, 20, 64}) {
          for (size_t taps : {1, 3}) {
            for (size_t rows : {size_t{1}, size_t{3}, kernel->mr + size_t{2}}) {
              Problem p(random, {cols, taps, depth}, rows);
              p.x_unsigned = p.w_unsigned = false;
              p.w_zero_point = 0;
              p.negate = nullptr;
              const size_t block = random.integer(0, 1) ? kBlockDepth : kernel->kr;
              const size_t blocks = taps * ((depth + block - 1) / block);
              std::vector<bool> zero(blocks * ((cols + kBlockCols - 1) / kBlockCols));
              for (size_t i = 0; i < zero.size(); ++i) zero[i] = random.integer(0, 99) < zeros;
              for (size_t n = 0; n < cols; ++n) {
                for (size_t k = 0; k < taps * depth; ++k) {
                  const size_t at = k / depth * (blocks / taps) + k % depth / block;
                  if (zero[n / kBlockCols * blocks + at]) p.w[n * taps * depth + k] = 0;
                }
              }
              check_accumulators(*kernel, p, 0);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("gemm: steps without weights are left out, and only where a zero adds nothing") {
  const Shape shape{64, 2, 64};
  std::vector<int8_t> w(shape.cols * shape.taps * shape.depth, 1);
  // Of 8 blocks across and 4 down of a tap every other one is zero.
  for (size_t i = 0; i < w.size(); ++i) {
    const size_t k = i % shape.depth, n = i / (shape.depth * shape.taps);
    if ((k / kBlockDepth + n / kBlockCols) % 2) w[i] = 0;
  }
  Weights weights{shape, w.data(), false, 0, 5, nullptr};
  const bool negate[64] = {};
  for (const Kernel* kernel : runnable()) {
    INFO(kernel->name);
    if (kernel->zeros == 0) continue;
    CHECK(zero_share(weights, *kernel) == 0.5);
    Layer layer{kernel, shape, false, nullptr, nullptr, {}};
    const size_t half = packed_bytes(layer, weights);
    weights.zero_point = 1;
    CHECK(zero_share(weights, *kernel) == 0);
    CHECK(packed_bytes(layer, weights) > half * 3 / 2);
    weights.zero_point = 0;
    weights.negate = negate;
    CHECK(zero_share(weights, *kernel) == 0);
    weights.negate = nullptr;
  }
  CHECK(select(testing::features(), weights).zeros != 0);
  CHECK(select(testing::features(), weights).kr == select(testing::features()).kr);
  std::fill(w.begin(), w.end(), int8_t{1});
  CHECK(&select(testing::features(), weights) == &select(testing::features()));
}

TEST_CASE("gemm: with requantization, nothing outside the tile is written") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    for (size_t cols : {1, 15, 16, 17, 32, 37, 48, 64, 65, 150}) {
      Problem p(random, {cols, size_t{3}, 20}, kernel->mr + size_t{2});
      for (size_t n = 0; n < cols; ++n) {
        p.bias[n] = static_cast<int32_t>(random.integer(-100000, 100000));
        if (random.integer(0, 3) != 0) continue;
        // A pruned channel: all depends on the bias, which may be any.
        const size_t k = p.shape.taps * p.shape.depth;
        std::memset(p.w.data() + n * k, p.w_zero_point, k);
        p.bias[n] = random.any<int32_t>();
      }
      std::vector<int32_t> multiplier(cols), exponent(cols);
      // Columns of which some cannot be requantized in the kernel, in all panels or in some.
      const int64_t highest = random.integer(-9, 1);
      for (size_t n = 0; n < cols; ++n) {
        multiplier[n] = random.integer(0, 99) == 0 ? 1 << 30 : random.integer(1 << 30, INT32_MAX);
        exponent[n] = static_cast<int32_t>(random.integer(-14, highest));
      }
      const int32_t low = p.x_unsigned ? 0 : -128;
      requantize::Params params;
      params.multiplier = multiplier.data();
      params.exponent = exponent.data();
      params.zero_point = static_cast<int32_t>(random.integer(low, low + 255));
      params.min = random.integer(0, 1)
                       ? params.zero_point
                       : static_cast<int32_t>(random.integer(low, params.zero_point));
      // As with a relu: negative results may saturate.
      if (random.integer(0, 1)) params.zero_point = params.min = low;
      params.max = static_cast<int32_t>(random.integer(params.zero_point, low + 255));
      if (random.integer(0, 1)) params.max = low + 255;
      check_bytes(*kernel, p, params);
    }
  }
}

// Where a sum that is rounded up, not cut, would be one step too far.
TEST_CASE("gemm: accumulators next to the steps of the output") {
  Random random;
  for (const Kernel* kernel : runnable()) {
    for (int round = 0; round < 40; ++round) {
      const size_t cols = 64;
      Problem p(random, {cols, 2, 20}, kernel->mr + size_t{2});
      // Pixels of the zero point leave the bias alone.
      std::memset(p.x.data(), p.x_zero_point, p.x.size());
      p.negate = nullptr;
      const int32_t e = -13, low = p.x_unsigned ? 0 : -128;
      const int32_t zero_point = low + static_cast<int32_t>(random.integer(0, 1)) * 128;
      // One multiplier, so that all columns are proved in some rounds.
      const int32_t m = static_cast<int32_t>(random.integer(1 << 30, INT32_MAX));
      std::vector<int32_t> multiplier(cols, m), exponent(cols, e);
      for (size_t n = 0; n < cols; ++n) {
        const double k = static_cast<double>(random.integer(64, zero_point == low ? 255 : 127));
        const double step = (k - 0.5) * std::ldexp(1.0, 31 - e) / m;
        const int32_t sign = random.integer(0, 3) == 0 ? -1 : 1;
        p.bias[n] =
            sign * (static_cast<int32_t>(step) + static_cast<int32_t>(random.integer(-1, 1)));
      }
      requantize::Params params;
      params.multiplier = multiplier.data();
      params.exponent = exponent.data();
      params.zero_point = zero_point;
      params.min = low;
      params.max = low + 255;
      check_bytes(*kernel, p, params);
    }
  }
}

TEST_CASE("gemm: packed weights never wrap to few bytes, on 32 bits neither") {
  for (const Kernel* kernel : runnable()) {
    const Shape shape{1, 1, size_t{1} << 30};
    const Weights weights{shape, nullptr, false, 1, 0, nullptr};
    CHECK(packed_bytes({kernel, shape, false, nullptr, nullptr, {}}, weights) >= shape.depth);
  }
}

}  // namespace edge::gemm
