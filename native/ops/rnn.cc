// RNN: one step of support/rnn.h. float32 with float32 or 8-bit weights.
#include "ops/support/rnn.h"

namespace edge {
namespace {

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<RnnAttributes>());
  EDGE_TRY(op.expect_arity(5, 5, 1));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 2) return invalid_model("its input must have 2 dimensions");
  // All rows are one step's, as if time came first.
  EDGE_ASSIGN(const RnnSizes s, rnn_sizes(op, {}, true));
  (*shapes)[0] = {x[0], static_cast<int32_t>(s.units)};
  return {};
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<RnnAttributes>();
  RnnOptions options;
  options.activation = a.activation;
  options.time_major = true;
  options.asymmetric = a.asymmetric_quantize_inputs;
  return prepare_rnn(op, {}, options, &op.make_state<Rnn>());
}

void eval(const EvalContext& run) { run_rnn(run, run.state<Rnn>(), run.out<float>(0)); }

}  // namespace

extern const OpDef op_rnn{check, infer, prepare, eval};

}  // namespace edge
