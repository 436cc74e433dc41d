// LSTM: one step of support/lstm.h. float32 with float32 or 8-bit weights, and int8. The basic
// kernel (support/basic_lstm.h): float32 and uint8.
#include "ops/support/lstm.h"

#include "ops/support/basic_lstm.h"
#include "ops/support/integer_lstm.h"

namespace edge {
namespace {

struct State {
  std::unique_ptr<Lstm> floats;
  std::unique_ptr<IntegerLstm> integers;
  std::unique_ptr<BasicLstm> basic;
};

bool is_basic(const OpView& op) { return op.attributes<LstmAttributes>().basic_kernel; }

LstmInputs inputs_of(const OpView& op) {
  LstmInputs at;
  if (op.input_count() == 24 && op.has_input(21)) at.norms = 20;
  return at;
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<LstmAttributes>());
  if (is_basic(op)) return check_basic_lstm(op);
  EDGE_TRY(op.expect_arity(1, 24, 1));
  if (op.input_count() != 20 && op.input_count() != 24) {
    return invalid_model(format("it has %zu inputs, wanted 20 or 24", op.input_count()));
  }
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kInt8}));
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  if (is_basic(op)) return infer_basic_lstm(op, shapes);
  if (op.in(0).spec.shape.rank() != 2) return invalid_model("its input must have 2 dimensions");
  // All rows are one step's, as if time came first.
  EDGE_ASSIGN(const LstmSizes s, lstm_sizes(op, inputs_of(op), true));
  (*shapes)[0] = {static_cast<int32_t>(s.batches), static_cast<int32_t>(s.outputs)};
  return {};
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<LstmAttributes>();
  State& s = op.make_state<State>();
  if (is_basic(op)) {
    s.basic = std::make_unique<BasicLstm>();
    return prepare_basic_lstm(op, s.basic.get());
  }
  LstmOptions options;
  options.activation = a.activation;
  options.cell_clip = a.cell_clip;
  options.proj_clip = a.proj_clip;
  options.time_major = true;
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
  if (s.basic) return run_basic_lstm(run, *s.basic);
  if (s.integers) return run_integer_lstm(run, *s.integers);
  run_lstm(run, *s.floats, run.out<float>(0));
}

}  // namespace

extern const OpDef op_lstm{check, infer, prepare, eval};

}  // namespace edge
