#include <cmath>

#include "ops/support/lstm.h"

namespace edge {
namespace {

bool given(const OpView& op, size_t i) { return i < op.input_count() && op.has_input(i); }

struct Types {
  DType weights, vectors, biases, output_state, cell_state;
};

Status expect_vector(const OpView& op, size_t i, DType type, size_t count) {
  if (!given(op, i)) return invalid_model(format("its input %zu is missing", i));
  EDGE_TRY(op.expect_input(i, {type}));
  EDGE_TRY(op.expect_known(i));
  if (op.in(i).spec.shape.count() == static_cast<int64_t>(count)) return {};
  return invalid_model(format("its input %zu has shape %s, wanted %zu values", i,
                              to_string(op.in(i).spec.shape).c_str(), count));
}

Status expect_weights(const OpView& op, size_t i, DType type, size_t rows, size_t cols) {
  if (!given(op, i)) return invalid_model(format("its input %zu is missing", i));
  EDGE_TRY(check_product(op, i, type));
  const Shape& s = op.in(i).spec.shape;
  if (s[0] == static_cast<int32_t>(rows) && s[1] == static_cast<int32_t>(cols)) return {};
  return invalid_model(format("its weights, input %zu, have shape %s", i, to_string(s).c_str()));
}

Status check_gate(const OpView& op, const LstmInputs& at, size_t gate, const LstmSizes& s,
                  const Types& t) {
  EDGE_TRY(expect_weights(op, at.input_weights(gate), t.weights, s.cells, s.inputs));
  if (op.in(at.recurrent(3)).spec.shape.rank() == 1) {
    EDGE_TRY(expect_vector(op, at.recurrent(gate), DType::kFloat32, s.cells));
  } else {
    EDGE_TRY(expect_weights(op, at.recurrent(gate), t.weights, s.cells, s.outputs));
  }
  EDGE_TRY(expect_vector(op, at.bias(gate), t.biases, s.cells));
  if (at.norms && given(op, at.norms + 1)) {
    EDGE_TRY(expect_vector(op, at.norms + gate, t.vectors, s.cells));
  }
  if (!given(op, at.auxiliary) || at.auxiliary == 0 || !given(op, at.extra + 1)) return {};
  const Shape& a = op.in(at.auxiliary).spec.shape;
  return expect_weights(op, at.extra + gate, t.weights, s.cells,
                        static_cast<size_t>(a[a.rank() - 1]));
}

}  // namespace

Result<LstmSizes> lstm_sizes(const OpView& op, const LstmInputs& at, bool time_major) {
  const Shape& x = op.in(at.input).spec.shape;
  const bool integer = op.in(at.input).spec.dtype == DType::kInt8;
  if (!given(op, at.input_weights(3)) || !given(op, at.recurrent(3)) || x.rank() < 2 ||
      x.rank() > 3) {
    return invalid_model(
        format("its weights are missing, or its input has shape %s", to_string(x).c_str()));
  }
  const DType type = op.in(at.input_weights(3)).spec.dtype;
  EDGE_TRY(op.expect_input(at.input_weights(3), {DType::kFloat32, DType::kInt8, DType::kUInt8}));
  if (integer && type != DType::kInt8) return unsupported("int8 inputs with other weights");
  const Types types{type, integer ? DType::kInt16 : DType::kFloat32,
                    integer ? DType::kInt32 : DType::kFloat32, op.in(at.input).spec.dtype,
                    integer ? DType::kInt16 : DType::kFloat32};
  const Shape& w = op.in(at.input_weights(3)).spec.shape;
  const Shape& r = op.in(at.recurrent(3)).spec.shape;
  if (w.rank() != 2 || r.rank() < (integer ? 2 : 1) || r.rank() > 2) {
    return invalid_model(
        format("its weights have shapes %s and %s", to_string(w).c_str(), to_string(r).c_str()));
  }
  LstmSizes s;
  s.steps = static_cast<size_t>(x.rank() == 2 ? 1 : x[time_major ? 0 : 1]);
  s.batches = static_cast<size_t>(x[x.rank() == 3 && time_major ? 1 : 0]);
  s.inputs = static_cast<size_t>(x[x.rank() - 1]);
  s.cells = static_cast<size_t>(w[0]);
  s.outputs = static_cast<size_t>(r[r.rank() - 1]);
  s.has_input_gate = given(op, at.input_weights(0));
  for (size_t gate = s.first_gate(); gate < 4; ++gate) {
    EDGE_TRY(check_gate(op, at, gate, s, types));
  }
  if (given(op, at.peephole(2))) {
    const DType p = integer ? DType::kInt16 : type;
    for (size_t i = s.first_gate(); i < 3; ++i) {
      EDGE_TRY(expect_vector(op, at.peephole(i), p, s.cells));
      if (p != DType::kFloat32 && op.in(at.peephole(i)).spec.quant.scale.size() != 1) {
        return invalid_model("its peephole weights do not have one scale");
      }
    }
  }
  if (given(op, at.projection())) {
    EDGE_TRY(expect_weights(op, at.projection(), type, s.outputs, s.cells));
    if (given(op, at.projection_bias())) {
      EDGE_TRY(expect_vector(op, at.projection_bias(), types.biases, s.outputs));
    }
  } else if (s.outputs != s.cells) {
    return invalid_model("its cells and outputs differ in number, but there is no projection");
  }
  const int64_t batches = static_cast<int64_t>(s.batches);
  EDGE_TRY(op.expect_variable(at.output_state, types.output_state,
                              batches * static_cast<int64_t>(s.outputs)));
  EDGE_TRY(
      op.expect_variable(at.cell_state, types.cell_state, batches * static_cast<int64_t>(s.cells)));
  return s;
}

}  // namespace edge
