// BIDIRECTIONAL_SEQUENCE_RNN: one layer (support/rnn.h) forwards in time, another one backwards.
// Each has an output, or both share rows of the first. An auxiliary input is added to both by
// weights of its own; without such weights it is the backward one's input. float32 with float32 or
// 8-bit weights.
#include "ops/support/rnn.h"

namespace edge {
namespace {

constexpr size_t kAuxiliary = 9, kExtra = 10;  // the forward one's weights; the other's follow

struct State {
  Rnn forward, backward;
  bool merged = false;
  size_t passes = 1;
};

RnnInputs inputs_of(const OpView& op, bool backward) {
  RnnInputs at;
  at.weights = backward ? 5 : 1;
  if (!op.has_input(kAuxiliary)) return at;
  if (op.has_input(kExtra)) {
    at.auxiliary = kAuxiliary;
    at.extra = backward ? kExtra + 1 : kExtra;
  } else if (backward && op.attributes<BidirectionalSequenceRnnAttributes>().time_major) {
    at.input = kAuxiliary;  // TFLite does not look at it where batches come first
  }
  return at;
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<BidirectionalSequenceRnnAttributes>());
  const bool merged = op.attributes<BidirectionalSequenceRnnAttributes>().merge_outputs;
  EDGE_TRY(op.expect_arity(9, 12, merged ? 1 : 2));
  if (op.input_count() != 12) return invalid_model("it does not have 12 inputs");
  EDGE_TRY(op.expect_input(0, {DType::kFloat32}));
  for (size_t i = 0; i < op.output_count(); ++i) {
    EDGE_TRY(op.expect_output(i, {DType::kFloat32}));
  }
  if (op.has_input(kExtra) != op.has_input(kExtra + 1) ||
      (op.has_input(kExtra) && !op.has_input(kAuxiliary))) {
    return invalid_model("it lacks some of its auxiliary inputs");
  }
  return {};
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const auto& a = op.attributes<BidirectionalSequenceRnnAttributes>();
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 3) return invalid_model("its input must have 3 dimensions");
  if (op.has_input(kAuxiliary)) {
    EDGE_TRY(op.expect_input(kAuxiliary, {DType::kFloat32}));
    const Shape& s = op.in(kAuxiliary).spec.shape;
    if (s.rank() != 3 || s[0] != x[0] || s[1] != x[1] || s[2] < 1) {
      return invalid_model(format("its auxiliary input has shape %s", to_string(s).c_str()));
    }
  }
  EDGE_ASSIGN(const RnnSizes f, rnn_sizes(op, inputs_of(op, false), a.time_major));
  EDGE_ASSIGN(const RnnSizes b, rnn_sizes(op, inputs_of(op, true), a.time_major));
  const int32_t forward = static_cast<int32_t>(f.units), back = static_cast<int32_t>(b.units);
  if (int64_t{forward} + back > INT32_MAX) return unsupported("so many outputs");
  (*shapes)[0] = {x[0], x[1], a.merge_outputs ? forward + back : forward};
  if (!a.merge_outputs) (*shapes)[1] = {x[0], x[1], back};
  return {};
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<BidirectionalSequenceRnnAttributes>();
  State& s = op.make_state<State>();
  RnnOptions options;
  options.activation = a.activation;
  options.time_major = a.time_major;
  options.asymmetric = a.asymmetric_quantize_inputs;
  EDGE_TRY(prepare_rnn(op, inputs_of(op, false), options, &s.forward));
  options.backward = true;
  EDGE_TRY(prepare_rnn(op, inputs_of(op, true), options, &s.backward));
  s.merged = a.merge_outputs;
  if (!s.merged) s.backward.output_width = s.backward.sizes.units;
  // Where time comes first and weights are codes, TFLite runs the sequence once for each of its
  // steps, each time from the state that the last one left.
  const bool codes = op.in(1).spec.dtype != DType::kFloat32;
  if (a.time_major && codes) s.passes = s.forward.sizes.steps;
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  for (size_t i = 0; i < s.passes; ++i) {
    run_rnn(run, s.forward, run.out<float>(0));
    run_rnn(run, s.backward,
            s.merged ? run.out<float>(0) + s.forward.sizes.units : run.out<float>(1));
  }
}

}  // namespace

extern const OpDef op_bidirectional_sequence_rnn{check, infer, prepare, eval};

}  // namespace edge
