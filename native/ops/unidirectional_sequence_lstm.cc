// UNIDIRECTIONAL_SEQUENCE_LSTM: support/lstm.h along the time axis of [batch, time, n], or of
// [time, batch, n]. float32 with float32 or 8-bit weights, and int8.
#include "ops/support/integer_lstm.h"
#include "ops/support/lstm.h"

namespace edge {
namespace {

struct State {
  std::unique_ptr<Lstm> floats;
  std::unique_ptr<IntegerLstm> integers;
};

LstmInputs inputs_of(const OpView& op) {
  LstmInputs at;
  if (op.input_count() == 24 && op.has_input(21)) at.norms = 20;
  return at;
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<UnidirectionalSequenceLstmAttributes>());
  EDGE_TRY(op.expect_arity(1, 24, 1));
  if (op.input_count() != 20 && op.input_count() != 24) {
    return invalid_model(format("it has %zu inputs, wanted 20 or 24", op.input_count()));
  }
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kInt8}));
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const auto& a = op.attributes<UnidirectionalSequenceLstmAttributes>();
  if (op.in(0).spec.shape.rank() != 3) return invalid_model("its input must have 3 dimensions");
  EDGE_ASSIGN(const LstmSizes s, lstm_sizes(op, inputs_of(op), a.time_major));
  Shape& y = (*shapes)[0];
  y = op.in(0).spec.shape;
  y[2] = static_cast<int32_t>(s.outputs);
  return {};
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<UnidirectionalSequenceLstmAttributes>();
  State& s = op.make_state<State>();
  LstmOptions options;
  options.activation = a.activation;
  options.cell_clip = a.cell_clip;
  options.proj_clip = a.proj_clip;
  options.time_major = a.time_major;
  options.asymmetric = a.asymmetric_quantize_inputs;
  if (op.in(0).spec.dtype == DType::kInt8) {
    s.integers = std::make_unique<IntegerLstm>();
    return prepare_integer_lstm(op, inputs_of(op), options, s.integers.get());
  }
  s.floats = std::make_unique<Lstm>();
  return prepare_lstm(op, inputs_of(op), options, s.floats.get());
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.integers) return run_integer_lstm(run, *s.integers);
  run_lstm(run, *s.floats, run.out<float>(0));
}

int64_t macs(const OpView& op) {
  const Shape& x = op.in(0).spec.shape;
  int64_t weights = 0;
  for (size_t i = 1; i < 9; ++i) {
    if (op.has_input(i)) weights += op.in(i).spec.shape.count();
  }
  return x.count(0, x.rank() - 1) * weights;
}

}  // namespace

extern const OpDef op_unidirectional_sequence_lstm{check, infer, prepare, eval, macs};

}  // namespace edge
