// BATCH_MATMUL: y[b] = x[b] * w[b] for the matrices in the last two axes, either of them transposed
// first (adj); axes before are broadcast. float32, int8, int16 with int16 or int8, and float32 with
// int8 ("hybrid").
//
// Floats go through a matrix kernel. Codes become int16 with their zero point taken off.
#include <algorithm>
#include <limits>

#include "base/arena.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/row_codes/row_codes.h"
#include "ops/op.h"
#include "ops/support/fixed_point.h"
#include "ops/support/parallel.h"
#include "ops/support/quantize.h"

namespace edge {
namespace {

constexpr size_t kBlock = 16;  // columns computed together

struct State {
  DType x = DType::kFloat32, w = DType::kFloat32, y = DType::kFloat32;
  bool adj_x = false, adj_y = false, asymmetric = false;
  size_t rows = 0, depth = 0, cols = 0;
  size_t matrices_x = 0, matrices_w = 0;
  size_t matrices = 0;  // of y; 0: nothing to compute
  Shape shape_x, shape_w, shape_y;
  // Shared scratch memory: matrices of x, behind them those of w, behind them scales of rows.
  size_t stride_w = 0, begin_w = 0, begin_scales = 0;  // bytes
  Arena constant_w;                                    // prepared, if it is one
  const gemm_f32::Kernel* kernel = nullptr;
  const row_codes::Kernel* codes = nullptr;  // hybrid
  gemm_f32::Shape shape{};
  int32_t zero_x = 0, zero_w = 0, zero_y = 0;
  std::vector<requantize::Multiplier> multipliers;  // one, or one a column
  std::vector<float> scale_w;                       // hybrid: one, or one a column
};

bool hybrid(const State& s) { return s.x == DType::kFloat32 && s.w == DType::kInt8; }
bool floats(const State& s) { return s.w == DType::kFloat32; }
const requantize::Multiplier& multiplier(const State& s, size_t column) {
  return s.multipliers[s.multipliers.size() > 1 ? column : 0];
}
size_t width(const State& s) { return (s.cols + kBlock - 1) / kBlock * kBlock; }

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(op.expect_attributes<BatchMatMulAttributes>());
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kInt8, DType::kInt16}));
  const DType x = op.in(0).spec.dtype;
  if (x == DType::kInt8) {
    EDGE_TRY(op.expect_input(1, {DType::kInt8}));
    EDGE_TRY(op.expect_output(0, {DType::kInt8, DType::kInt32}));
  } else {
    EDGE_TRY(op.expect_input(1, {x, DType::kInt8}));
    EDGE_TRY(op.expect_output(0, {x}));
  }
  if (op.in(1).spec.dtype == DType::kFloat32) return {};
  EDGE_TRY(check_scales(op.in(1).spec.quant, "its input 1"));
  if (x == DType::kFloat32) return {};
  EDGE_TRY(check_scales(op.in(0).spec.quant, "its input 0"));
  const Quantization& q = op.in(1).spec.quant;
  const int behind = op.attributes<BatchMatMulAttributes>().adj_y ? 2 : 1;
  const bool by_column = q.dimension == op.in(1).spec.shape.rank() - behind &&
                         std::count(q.zero_point.begin(), q.zero_point.end(), 0) ==
                             static_cast<std::ptrdiff_t>(q.zero_point.size());
  if (op.in(0).spec.quant.per_channel() || (q.per_channel() && !by_column)) {
    return unsupported("its inputs have a scale per channel of another axis than the columns");
  }
  for (const Value* v : {&op.in(0), &op.in(1)}) {
    const bool is_short = v->spec.dtype == DType::kInt16 || x == DType::kInt16;
    const int32_t z = v->spec.zero_point();
    if (z < (is_short ? 0 : -128) || z > (is_short ? 0 : 127)) {
      return invalid_model(format("an input has the impossible zero point %d", z));
    }
  }
  if (op.out(0).spec.dtype == DType::kInt32) return {};
  if (x == DType::kInt16 && op.out(0).spec.zero_point() != 0) {
    return invalid_model("its int16 output has a zero point");
  }
  EDGE_TRY(op.expect_quantized(op.out(0)));
  return check_scales(op.out(0).spec.quant, "its output");
}

// Extent of an axis of y counted from behind; `x` has 1 in front.
int32_t axis(const Shape& x, int from_behind) {
  return from_behind <= x.rank() ? x[x.rank() - from_behind] : 1;
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const auto& a = op.attributes<BatchMatMulAttributes>();
  const Shape &x = op.in(0).spec.shape, &w = op.in(1).spec.shape;
  const auto refuse = [&] {
    return invalid_model(format("matrices %s and %s do not suit each other", to_string(x).c_str(),
                                to_string(w).c_str()));
  };
  if (x.rank() < 2 || w.rank() < 2) return refuse();
  if (axis(x, a.adj_x ? 2 : 1) != axis(w, a.adj_y ? 1 : 2)) return refuse();
  Shape& y = (*shapes)[0];
  for (int i = std::max(x.rank(), w.rank()); i > 2; --i) {
    const int32_t n = axis(x, i), m = axis(w, i);
    if (n != m && n != 1 && m != 1) return refuse();
    y.push_back(n == 1 ? m : n);
  }
  y.push_back(axis(x, a.adj_x ? 1 : 2));
  y.push_back(axis(w, a.adj_y ? 2 : 1));
  return {};
}

// Which matrix of `x` matrix i of y is made of.
size_t source(const Shape& x, const Shape& y, size_t i) {
  size_t of = 0, step = 1;
  for (int a = 3; a <= y.rank(); ++a) {
    const size_t n = static_cast<size_t>(axis(x, a)), m = static_cast<size_t>(axis(y, a));
    if (n > 1) of += i % m * step;
    i /= m;
    step *= n;
  }
  return of;
}

template <typename T>
void widen(const State& s, const uint8_t* data, int16_t* out) {
  const T* w = reinterpret_cast<const T*>(data);
  const size_t row = s.adj_y ? 1 : s.cols, col = s.adj_y ? s.depth : 1, stride = width(s);
  for (size_t k = 0; k < s.depth; ++k) {
    for (size_t n = 0; n < s.cols; ++n) {
      out[k * stride + n] = static_cast<int16_t>(w[k * row + n * col] - s.zero_w);
    }
    std::fill(out + k * stride + s.cols, out + (k + 1) * stride, int16_t{0});
  }
}

// Matrix i of w for the inner loops: packed floats, or int16 [depth][width].
void prepare_w(const State& s, const uint8_t* data, size_t i, uint8_t* out) {
  const uint8_t* w = data + i * s.depth * s.cols * dtype_size(s.w);
  if (s.w == DType::kInt8) return widen<int8_t>(s, w, reinterpret_cast<int16_t*>(out));
  if (s.w == DType::kInt16) return widen<int16_t>(s, w, reinterpret_cast<int16_t*>(out));
  const float* from = reinterpret_cast<const float*>(w);
  float* to = reinterpret_cast<float*>(out);
  if (s.adj_y) return gemm_f32::pack(*s.kernel, s.shape, from, nullptr, to);
  gemm_f32::pack_rows(*s.kernel, s.shape, from, to);
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  const auto& a = op.attributes<BatchMatMulAttributes>();
  const TensorSpec &x = op.in(0).spec, &w = op.in(1).spec, &y = op.out(0).spec;
  if (y.shape.count() == 0) return {};
  s.x = x.dtype;
  s.w = w.dtype;
  s.y = y.dtype;
  s.adj_x = a.adj_x;
  s.adj_y = a.adj_y;
  s.asymmetric = a.asymmetric_quantize_inputs;
  s.rows = static_cast<size_t>(axis(y.shape, 2));
  s.cols = static_cast<size_t>(axis(y.shape, 1));
  s.depth = static_cast<size_t>(axis(x.shape, a.adj_x ? 2 : 1));
  s.matrices_x = static_cast<size_t>(x.shape.count(0, x.shape.rank() - 2));
  s.matrices_w = static_cast<size_t>(w.shape.count(0, w.shape.rank() - 2));
  s.matrices = static_cast<size_t>(y.shape.count(0, y.shape.rank() - 2));
  s.shape_x = x.shape;
  s.shape_w = w.shape;
  s.shape_y = y.shape;
  Features features;
  EDGE_TRY(active_features(&features));
  s.codes = &row_codes::select(features);
  if (floats(s)) {
    s.kernel = &op.choose(gemm_f32::select(features), gemm_f32::kernels, features);
    s.shape = {s.cols, 1, s.depth};
    s.stride_w = align_up(gemm_f32::packed_bytes(*s.kernel, s.shape));
  } else {
    s.stride_w = align_up(Bytes(s.depth) * width(s) * sizeof(int16_t));
  }
  if (w.quant.per_channel() && w.quant.scale.size() != s.cols) {
    return invalid_model("it does not have one weight scale per column");
  }
  if (s.y == DType::kInt32) {
    // The sum of the codes' products as they are.
  } else if (hybrid(s)) {
    s.scale_w = w.quant.scale;
  } else if (!floats(s)) {
    s.zero_x = x.zero_point();
    s.zero_w = w.zero_point();
    s.zero_y = y.zero_point();
    for (float scale : w.quant.scale) {
      EDGE_ASSIGN(const requantize::Multiplier m,
                  fixed_point(static_cast<double>(x.scale() * scale) / y.scale()));
      if (m.e > (s.y == DType::kInt16 ? 14 : 31)) {
        return invalid_model("its scales give a multiplier that is too large");
      }
      s.multipliers.push_back(m);
    }
  }
  const bool copies_x = !floats(s) || s.adj_x;
  const Bytes rows_x = Bytes(s.matrices_x) * s.rows, all_w = Bytes(s.matrices_w) * s.stride_w;
  const size_t element = floats(s) ? sizeof(float) : sizeof(int16_t);
  s.begin_w = copies_x ? align_up(rows_x * s.depth * element) : 0;
  s.begin_scales = (s.begin_w + (op.in(1).constant ? 0 : all_w)).count();
  op.scratch_shared = (s.begin_scales + (hybrid(s) ? rows_x * sizeof(float) : 0)).count();
  op.scratch_per_worker =
      (floats(s) ? Bytes(s.rows) * sizeof(void*) : Bytes(s.depth) * (sizeof(float) + 1)).count();
  if (!op.in(1).constant) return {};
  s.constant_w = Arena(all_w.count());
  if (!s.constant_w.data()) return Status(Code::kResource, "no memory for packed weights");
  op.packed_bytes = s.constant_w.size();
  for (size_t i = 0; i < s.matrices_w; ++i) {
    prepare_w(s, op.in(1).data.data(), i, s.constant_w.data() + i * s.stride_w);
  }
  return {};
}

template <typename T, typename Out>
void copy_row(const State& s, const uint8_t* data, size_t matrix, size_t row, int32_t zero,
              Out* out) {
  const T* x = reinterpret_cast<const T*>(data) + matrix * s.rows * s.depth;
  const size_t first = s.adj_x ? row : row * s.depth, step = s.adj_x ? s.rows : 1;
  for (size_t k = 0; k < s.depth; ++k) {
    out[k] = static_cast<Out>(x[first + k * step] - static_cast<T>(zero));
  }
}

// Row `row` of all matrices of x, as rows of floats or of int16; for hybrid its scale too.
void prepare_x(const EvalContext& run, const State& s, size_t row, int worker) {
  const uint8_t* x = run.in<uint8_t>(0);
  const size_t matrix = row / s.rows, r = row % s.rows;
  if (floats(s)) {
    float* out = reinterpret_cast<float*>(run.shared_scratch()) + row * s.depth;
    return copy_row<float>(s, x, matrix, r, 0, out);
  }
  int16_t* out = reinterpret_cast<int16_t*>(run.shared_scratch()) + row * s.depth;
  if (s.x == DType::kInt16) return copy_row<int16_t>(s, x, matrix, r, 0, out);
  if (s.x == DType::kInt8) {
    copy_row<int8_t>(s, x, matrix, r, 0, out);
    for (size_t k = 0; k < s.depth; ++k) out[k] = static_cast<int16_t>(out[k] - s.zero_x);
    return;
  }
  float* values = reinterpret_cast<float*>(run.scratch(worker));
  int8_t* codes = reinterpret_cast<int8_t*>(values + s.depth);
  copy_row<float>(s, x, matrix, r, 0, values);
  const row_codes::Codes found = row_codes::find(*s.codes, values, s.depth, s.asymmetric);
  s.codes->encode({&found, values, row_codes::roughly(s.depth), s.depth, codes});
  for (size_t k = 0; k < s.depth; ++k) out[k] = static_cast<int16_t>(codes[k] - found.offset);
  reinterpret_cast<float*>(run.shared_scratch() + s.begin_scales)[row] = found.scale;
}

// acc[j] = sum_k x[k] * w[k][j]; wraps.
template <typename Acc>
void block(const int16_t* x, const int16_t* w, size_t depth, size_t stride, Acc* acc) {
  Acc sum[kBlock] = {};
  for (size_t k = 0; k < depth; ++k, w += stride) {
    const int32_t v = x[k];
    for (size_t j = 0; j < kBlock; ++j) sum[j] += static_cast<Acc>(v * w[j]);
  }
  std::copy_n(sum, kBlock, acc);
}

// TFLite's rescaling of 64-bit sums: 15 bits of multiplier, rounded half up.
int32_t rescale_wide(int64_t acc, const requantize::Multiplier& m) {
  const int64_t reduced = m.m < 0x7fff0000 ? (m.m + (1 << 15)) >> 16 : 0x7fff;
  const int shift = 15 - m.e;
  const uint64_t product = static_cast<uint64_t>(acc) * static_cast<uint64_t>(reduced);
  const uint64_t sum = product + (uint64_t{1} << (shift - 1));  // wraps for absurd depths
  return static_cast<int32_t>(static_cast<int64_t>(sum) >> shift);
}

void finish_block(const EvalContext& run, const State& s, const uint32_t* acc, size_t row,
                  size_t first, size_t count, size_t at) {
  if (s.y == DType::kInt32) {
    for (size_t j = 0; j < count; ++j) run.out<int32_t>(0)[at + j] = static_cast<int32_t>(acc[j]);
  } else if (s.y == DType::kInt8) {
    for (size_t j = 0; j < count; ++j) {
      const requantize::Multiplier& m = multiplier(s, first + j);
      const int32_t v = requantize::double_round(static_cast<int32_t>(acc[j]), m.m, m.e);
      run.out<int8_t>(0)[at + j] =
          static_cast<int8_t>(std::clamp(requantize::wrapping_add(v, s.zero_y), -128, 127));
    }
  } else {
    const float scale = reinterpret_cast<const float*>(run.shared_scratch() + s.begin_scales)[row];
    for (size_t j = 0; j < count; ++j) {
      const float w = s.scale_w[s.scale_w.size() > 1 ? first + j : 0];
      run.out<float>(0)[at + j] = static_cast<float>(static_cast<int32_t>(acc[j])) * (scale * w);
    }
  }
}

// Row r of matrix b of y, from codes: row `row` of x times matrix `w`.
void run_codes(const EvalContext& run, const State& s, size_t row, const uint8_t* w, size_t b,
               size_t r) {
  const int16_t* x = reinterpret_cast<const int16_t*>(run.shared_scratch()) + row * s.depth;
  const int16_t* matrix = reinterpret_cast<const int16_t*>(w);
  for (size_t n = 0; n < s.cols; n += kBlock) {
    const size_t count = std::min(kBlock, s.cols - n), at = (b * s.rows + r) * s.cols + n;
    if (s.y == DType::kInt16) {
      int64_t acc[kBlock];
      block(x, matrix + n, s.depth, width(s), acc);
      for (size_t j = 0; j < count; ++j) {
        const int32_t v = rescale_wide(acc[j], multiplier(s, n + j));
        run.out<int16_t>(0)[at + j] = static_cast<int16_t>(std::clamp(v, -32768, 32767));
      }
    } else {
      uint32_t acc[kBlock];
      block(x, matrix + n, s.depth, width(s), acc);
      finish_block(run, s, acc, row, n, count, at);
    }
  }
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.matrices == 0) return;
  const bool copies_x = !floats(s) || s.adj_x;
  if (copies_x) {
    run.pool().run(s.matrices_x * s.rows,
                   [&](size_t row, int worker) { prepare_x(run, s, row, worker); });
  }
  const uint8_t* w = s.constant_w.data();
  if (!w) {
    uint8_t* prepared = run.shared_scratch() + s.begin_w;
    run.pool().run(s.matrices_w, [&](size_t i, int) {
      prepare_w(s, run.in<uint8_t>(1), i, prepared + i * s.stride_w);
    });
    w = prepared;
  }
  const size_t threads = static_cast<size_t>(run.pool().threads());
  const size_t macs = std::max<size_t>(s.depth * s.cols, 1);
  const size_t most = threads == 1 ? 1 : 4 * threads;
  const Chunks chunks = cut(s.rows, (1 << 15) / macs + 1, most);
  run.pool().run(s.matrices * chunks.count, [&](size_t task, int worker) {
    const size_t b = task / chunks.count, first = task % chunks.count * chunks.size;
    const size_t count = std::min(chunks.size, s.rows - first);
    const size_t row = source(s.shape_x, s.shape_y, b) * s.rows;
    const uint8_t* matrix = w + source(s.shape_w, s.shape_y, b) * s.stride_w;
    if (!floats(s)) {
      for (size_t r = first; r < first + count; ++r) run_codes(run, s, row + r, matrix, b, r);
      return;
    }
    const float* x =
        copies_x ? reinterpret_cast<const float*>(run.shared_scratch()) : run.in<float>(0);
    const float** rows = reinterpret_cast<const float**>(run.scratch(worker));
    for (size_t i = 0; i < count; ++i) {
      rows[i] = x + (row + first + i) * s.depth;
    }
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const gemm_f32::Layer layer{s.kernel, s.shape, reinterpret_cast<const float*>(matrix),
                                -kInfinity, kInfinity};
    gemm_f32::run(layer, rows, count, count, 0, s.cols,
                  run.out<float>(0) + (b * s.rows + first) * s.cols, s.cols);
  });
}

int64_t macs(const OpView& op) {
  const Shape& x = op.in(0).spec.shape;
  const bool adj = op.attributes<BatchMatMulAttributes>().adj_x;
  return x.rank() < 2 ? 0 : op.out(0).spec.shape.count() * axis(x, adj ? 2 : 1);
}

}  // namespace

extern const OpDef op_batch_matmul{check, infer, prepare, eval, macs};

}  // namespace edge
