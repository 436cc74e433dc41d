#include "ops/support/pooling.h"

#include <algorithm>

#include "base/cpu.h"
#include "kernels/pool/pool.h"
#include "ops/support/parallel.h"
#include "ops/support/picture.h"
#include "ops/support/quantize.h"

namespace edge {
namespace {

struct State {
  Picture picture;
  const pool::Kernel* kernel = nullptr;
  size_t channels = 0;
  Range range{};
  FloatRange range_f32{};
};

Result<Picture> geometry(const OpView& op) {
  const Shape& x = op.in(0).spec.shape;
  const auto& a = op.attributes<Pool2DAttributes>();
  if (x.rank() != 4)
    return invalid_model(format("input %s must have 4 dimensions", to_string(x).c_str()));
  Picture p;
  EDGE_ASSIGN(p.h, make_window(x[1], a.filter_h, a.stride_h, 1, a.padding, 0, 0));
  EDGE_ASSIGN(p.w, make_window(x[2], a.filter_w, a.stride_w, 1, a.padding, 0, 0));
  // An average counts cells in 32 bits, and the pointers of one window lie in scratch memory.
  if (int64_t{a.filter_h} * a.filter_w > 1 << 24)
    return unsupported("windows of more than 2^24 cells");
  if (op.in(0).spec.dtype == DType::kInt16 && int64_t{a.filter_h} * a.filter_w > 1 << 15)
    return unsupported("windows of int16 of more than 2^15 cells");
  p.batches = x[0];
  p.cell_bytes = static_cast<size_t>(x[3]) * dtype_size(op.in(0).spec.dtype);
  return p;
}

pool::Op kernel_op(DType type, bool average) {
  switch (type) {
    case DType::kInt8:
      return average ? pool::Op::kAverageI8 : pool::Op::kMaxI8;
    case DType::kUInt8:
      return average ? pool::Op::kAverageU8 : pool::Op::kMaxU8;
    case DType::kInt16:
      return average ? pool::Op::kAverageI16 : pool::Op::kMaxI16;
    default:
      return average ? pool::Op::kAverageF32 : pool::Op::kMaxF32;
  }
}

}  // namespace

Status check_pool(const OpView& op) {
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_attributes<Pool2DAttributes>());
  EDGE_TRY(op.expect_input(0, {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kFloat32}));
  EDGE_TRY(op.expect_output_as_input());
  EDGE_TRY(op.expect_quantized(op.in(0)));
  EDGE_TRY(op.expect_quantized(op.out(0)));
  if (op.in(0).spec.dtype == DType::kInt16) {
    EDGE_TRY(expect_symmetric(op.in(0)));
    EDGE_TRY(expect_symmetric(op.out(0)));
  }
  // The reference pools codes, so it refuses an input and an output of different scales.
  if (op.in(0).spec.dtype != DType::kFloat32 && !(op.in(0).spec.quant == op.out(0).spec.quant)) {
    return invalid_model("its input and output have different quantization");
  }
  return {};
}

Status infer_pool(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Picture p, geometry(op));
  (*shapes)[0] = {p.batches, p.h.out, p.w.out, op.in(0).spec.shape[3]};
  return {};
}

Status prepare_pool(PrepareContext& op, bool average) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.picture, geometry(op));
  const DType type = op.in(0).spec.dtype;
  const Activation activation = op.attributes<Pool2DAttributes>().activation;
  EDGE_ASSIGN(s.range_f32, activation_range(activation));
  if (type != DType::kFloat32) {
    EDGE_ASSIGN(s.range, activation_range(activation, op.out(0).spec));
  }
  s.channels = static_cast<size_t>(op.in(0).spec.shape[3]);
  Features features;
  EDGE_TRY(active_features(&features));
  const pool::Op kind = kernel_op(type, average);
  s.kernel = &op.choose(pool::select(features, kind), pool::kernels, features,
                        [&](const pool::Kernel& k) { return k.op == kind; });
  // Windows are cut at the picture's edge, so a window never holds more cells than the picture.
  const Picture& p = s.picture;
  op.scratch_per_worker = sizeof(void*) *
                          static_cast<size_t>(std::min(p.h.filter, std::max(p.h.in, 1))) *
                          static_cast<size_t>(std::min(p.w.filter, std::max(p.w.in, 1)));
  return {};
}

void eval_pool(const EvalContext& run) {
  const State& s = run.state<State>();
  const Picture& p = s.picture;
  const size_t width = static_cast<size_t>(p.w.out), height = static_cast<size_t>(p.h.out);
  const size_t rows = static_cast<size_t>(p.batches) * height;
  if (p.out_pixels() == 0 || s.channels == 0) return;
  const size_t threads = static_cast<size_t>(run.pool().threads());
  const size_t row_cells = std::max<size_t>(width * s.channels * p.taps(), 1);
  const Chunks chunks =
      cut(rows, ((1 << 15) + row_cells - 1) / row_cells, threads == 1 ? 1 : 4 * threads);
  run.pool().run(chunks.count, [&](size_t chunk, int worker) {
    const void** taps = reinterpret_cast<const void**>(run.scratch(worker));
    for (size_t r = chunk * chunks.size; r < std::min(rows, (chunk + 1) * chunks.size); ++r) {
      const int b = static_cast<int>(r / height), oy = static_cast<int>(r % height);
      const int top = oy * p.h.stride - p.h.before;
      const int y0 = std::max(top, 0), y1 = std::min(top + p.h.filter, p.h.in);
      uint8_t* out = run.out<uint8_t>(0) + r * width * p.cell_bytes;
      for (int ox = 0; ox < p.w.out; ++ox, out += p.cell_bytes) {
        const int left = ox * p.w.stride - p.w.before;
        const int x0 = std::max(left, 0), x1 = std::min(left + p.w.filter, p.w.in);
        size_t count = 0;
        for (int y = y0; y < y1; ++y) {
          const uint8_t* cell = p.cell(run.in<uint8_t>(0), b, y, x0);
          for (int x = x0; x < x1; ++x, cell += p.cell_bytes) taps[count++] = cell;
        }
        s.kernel->run({count, s.channels, taps, out, s.range.low, s.range.high, s.range_f32.low,
                       s.range_f32.high});
      }
    }
  });
}

}  // namespace edge
