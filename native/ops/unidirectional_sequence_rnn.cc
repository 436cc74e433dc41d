// UNIDIRECTIONAL_SEQUENCE_RNN: support/rnn.h along the time axis of [batch, time, n], or of
// [time, batch, n]. float32 with float32 or 8-bit weights.
#include "ops/support/rnn.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<SequenceRnnAttributes>());
  EDGE_TRY(op.expect_arity(5, 5, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 3) return invalid_model("its input must have 3 dimensions");
  const bool time_major = op.attributes<SequenceRnnAttributes>().time_major;
  EDGE_ASSIGN(const RnnSizes s, rnn_sizes(op, {}, time_major));
  (*shapes)[0] = {x[0], x[1], static_cast<int32_t>(s.units)};
  return {};
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<SequenceRnnAttributes>();
  RnnOptions options;
  options.activation = a.activation;
  options.time_major = a.time_major;
  options.asymmetric = a.asymmetric_quantize_inputs;
  return prepare_rnn(op, {}, options, &op.make_state<Rnn>());
}

void eval(const EvalContext& run) { run_rnn(run, run.state<Rnn>(), run.out<float>(0)); }

int64_t macs(const OpView& op) {
  const Shape& x = op.in(0).spec.shape;
  return x.count(0, 2) * (op.in(1).spec.shape.count() + op.in(2).spec.shape.count());
}

}  // namespace

extern const OpDef op_unidirectional_sequence_rnn{check, infer, prepare, eval, macs};

}  // namespace edge
