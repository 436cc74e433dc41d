// CONCATENATION: the inputs side by side along one axis.
//
// int8 inputs have the output's quantization. uint8 inputs need not: their codes are mapped by
//   q' = round(q * s + b) + zero_out, s = scale_in * (1 / scale_out), b = -zero_in * s
// in float32, rounding half away from zero (decision 001).
#include <algorithm>
#include <cmath>

#include "base/cpu.h"
#include "kernels/elementwise/elementwise.h"
#include "ops/support/movement.h"
#include "ops/support/parts.h"

namespace edge {
namespace {

struct State {
  Parts parts;
  Copies copies;
  // Per input the new code of each code, empty where codes stay what they are.
  std::vector<std::vector<uint8_t>> tables;
  const elementwise::KernelLut* kernel = nullptr;
};

bool same_codes(const TensorSpec& a, const TensorSpec& b) {
  return a.scale() == b.scale() && a.zero_point() == b.zero_point();
}

bool is_stablehlo(const OpView& op) { return op.node().opcode == opcode::kSTABLEHLO_CONCATENATE; }

Status check(const OpView& op) {
  EDGE_TRY(is_stablehlo(op) ? op.expect_attributes<StablehloConcatenateAttributes>()
                            : op.expect_attributes<ConcatenationAttributes>());
  EDGE_TRY(op.expect_arity(std::max<size_t>(op.input_count(), 1), op.input_count(), 1));
  if (op.attributes<ConcatenationAttributes>().activation != Activation::kNone) {
    return unsupported("a fused activation");
  }
  const TensorSpec& y = op.out(0).spec;
  for (size_t i = 0; i < op.input_count(); ++i) {
    EDGE_TRY(expect_movable(op, i));
    EDGE_TRY(op.expect_input(i, {y.dtype}));
    if (y.dtype == DType::kInt8) EDGE_TRY(expect_same_codes(op.in(i), op.out(0)));
    if (y.dtype == DType::kUInt8 && !same_codes(op.in(i).spec, y)) {
      EDGE_TRY(op.expect_quantized(op.in(i)));
      EDGE_TRY(op.expect_quantized(op.out(0)));
    }
  }
  return {};
}

Result<int> axis_of(const OpView& op) {
  const int64_t axis = is_stablehlo(op) ? op.attributes<StablehloConcatenateAttributes>().dimension
                                        : op.attributes<ConcatenationAttributes>().axis;
  return OpView::normalize_axis(axis, op.in(0).spec.shape.rank());
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const int axis, axis_of(op));
  Shape y = op.in(0).spec.shape;
  int64_t extent = 0;
  for (size_t i = 0; i < op.input_count(); ++i) {
    Shape x = op.in(i).spec.shape;
    if (x.rank() == y.rank()) {
      extent += x[axis];
      x[axis] = y[axis];
    }
    if (x != y || extent > INT32_MAX) {
      return invalid_model(format("its input %zu, %s, does not fit %s along axis %d", i,
                                  to_string(op.in(i).spec.shape).c_str(),
                                  to_string(op.in(0).spec.shape).c_str(), axis));
    }
  }
  y[axis] = static_cast<int32_t>(extent);
  (*shapes)[0] = y;
  return {};
}

std::vector<uint8_t> requantizing_table(const TensorSpec& from, const TensorSpec& to) {
  const float inverse = 1.f / to.scale();
  const float scale = from.scale() * inverse;
  const float bias = static_cast<float>(-from.zero_point()) * scale;
  std::vector<uint8_t> table(256);
  for (int q = 0; q < 256; ++q) {
    const float scaled = static_cast<float>(q) * scale;
    const float rounded = std::round(scaled + bias);
    // What does not fit 32 bits becomes the lowest integer, as the reference's conversion does.
    const bool fits = rounded >= -2147483648.f && rounded < 2147483648.f;
    const int64_t code = (fits ? static_cast<int64_t>(rounded) : INT32_MIN) + to.zero_point();
    table[static_cast<size_t>(q)] =
        static_cast<uint8_t>(std::min<int64_t>(std::max<int64_t>(code, 0), 255));
  }
  return table;
}

Status prepare(PrepareContext& op) {
  EDGE_ASSIGN(const int axis, axis_of(op));
  State& s = op.make_state<State>();
  const TensorSpec& y = op.out(0).spec;
  std::vector<int64_t> counts;
  for (size_t i = 0; i < op.input_count(); ++i) {
    const TensorSpec& x = op.in(i).spec;
    counts.push_back(x.shape[axis]);
    const bool maps = y.dtype == DType::kUInt8 && !same_codes(x, y);
    s.tables.push_back(maps ? requantizing_table(x, y) : std::vector<uint8_t>());
  }
  s.parts = make_parts(y.shape, axis, counts, dtype_size(y.dtype));
  s.copies = joining(s.parts);
  const bool mapped = std::any_of(s.tables.begin(), s.tables.end(),
                                  [](const std::vector<uint8_t>& t) { return !t.empty(); });
  if (contiguous(s.parts) && !mapped) op.pieces = {Pieces::kInputs, 0};
  Features features;
  EDGE_TRY(active_features(&features));
  s.kernel = &elementwise::select(features, elementwise::Lut::kLut);
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  int64_t row = 0;
  for (int64_t bytes : s.parts.bytes) row += bytes;
  int64_t offset = 0;
  for (size_t i = 0; i < s.copies.size(); ++i) {
    const uint8_t* in = run.in<uint8_t>(i);
    uint8_t* out = run.out<uint8_t>(0) + offset;
    const int64_t bytes = s.parts.bytes[i];
    offset += bytes;
    if (s.tables[i].empty()) {
      s.copies[i].run(in, run.out<uint8_t>(0), run.pool());
      continue;
    }
    for (int64_t r = 0; r < s.parts.outer; ++r) {
      s.kernel->run(
          {static_cast<size_t>(bytes), in + r * bytes, s.tables[i].data(), out + r * row});
    }
  }
}

}  // namespace

extern const OpDef op_concatenation{check, infer, prepare, eval};

}  // namespace edge
