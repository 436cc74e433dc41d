// BIDIRECTIONAL_SEQUENCE_LSTM: one LSTM (support/lstm.h) forwards in time, another one backwards.
// Each has an output, or both share rows of the first. An auxiliary input is added to both by
// weights of its own; without such weights it is the backward one's input. float32 with float32 or
// 8-bit weights.
#include "ops/support/lstm.h"

namespace edge {
namespace {

constexpr size_t kAuxiliary = 39;

struct State {
  Lstm forward, backward;
  bool merged = false;
};

LstmInputs inputs_of(const OpView& op, bool backward) {
  LstmInputs at;
  at.weights = backward ? 18 : 1;
  at.output_state = backward ? 37 : 35;
  at.cell_state = backward ? 38 : 36;
  if (!op.has_input(kAuxiliary)) return at;
  if (op.has_input(41)) {  // the forward forget gate's
    at.auxiliary = kAuxiliary;
    at.extra = backward ? 44 : 40;
  } else if (backward) {
    at.input = kAuxiliary;
  }
  return at;
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<BidirectionalSequenceLstmAttributes>());
  const bool merged = op.attributes<BidirectionalSequenceLstmAttributes>().merge_outputs;
  EDGE_TRY(op.expect_arity(1, 48, merged ? 1 : 2));
  if (op.input_count() != 48) return invalid_model("it does not have 48 inputs");
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  if (op.has_input(kAuxiliary)) {
    EDGE_TRY(op.expect_input(kAuxiliary, {DType::kFloat32}));
    const Shape &x = op.in(0).spec.shape, &a = op.in(kAuxiliary).spec.shape;
    if (a.rank() != 3 || x.rank() != 3 || a[0] != x[0] || a[1] != x[1] || a[2] < 1) {
      return invalid_model(format("its auxiliary input has shape %s", to_string(a).c_str()));
    }
  }
  for (size_t i = 0; i < op.output_count(); ++i) {
    EDGE_TRY(op.expect_output(i, {DType::kFloat32}));
  }
  return {};
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const auto& a = op.attributes<BidirectionalSequenceLstmAttributes>();
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 3) return invalid_model("its input must have 3 dimensions");
  EDGE_ASSIGN(const LstmSizes f, lstm_sizes(op, inputs_of(op, false), a.time_major));
  EDGE_ASSIGN(const LstmSizes b, lstm_sizes(op, inputs_of(op, true), a.time_major));
  const int32_t forward = static_cast<int32_t>(f.outputs), back = static_cast<int32_t>(b.outputs);
  if (int64_t{forward} + back > INT32_MAX) return unsupported("so many outputs");
  (*shapes)[0] = {x[0], x[1], a.merge_outputs ? forward + back : forward};
  if (!a.merge_outputs) (*shapes)[1] = {x[0], x[1], back};
  return {};
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<BidirectionalSequenceLstmAttributes>();
  State& s = op.make_state<State>();
  LstmOptions options;
  options.activation = a.activation;
  options.cell_clip = a.cell_clip;
  options.proj_clip = a.proj_clip;
  options.time_major = a.time_major;
  options.asymmetric = a.asymmetric_quantize_inputs;
  EDGE_TRY(prepare_lstm(op, inputs_of(op, false), options, &s.forward));
  options.backward = true;
  EDGE_TRY(prepare_lstm(op, inputs_of(op, true), options, &s.backward));
  s.merged = a.merge_outputs;
  if (!s.merged) s.backward.output_width = s.backward.sizes.outputs;
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  run_lstm(run, s.forward, run.out<float>(0));
  run_lstm(run, s.backward,
           s.merged ? run.out<float>(0) + s.forward.sizes.outputs : run.out<float>(1));
}

}  // namespace

extern const OpDef op_bidirectional_sequence_lstm{check, infer, prepare, eval};

}  // namespace edge
