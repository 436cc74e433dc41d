#include "ops/support/rnn.h"

#include <algorithm>
#include <cstring>

#include "ops/support/sigmoid.h"

namespace edge {
namespace {

Status expect_weights(const OpView& op, size_t i, DType type, int32_t rows, int32_t cols) {
  EDGE_TRY(check_product(op, i, type));
  const Shape& s = op.in(i).spec.shape;
  if (s == Shape{rows, cols}) return {};
  return invalid_model(format("its weights, input %zu, have shape %s, wanted [%d,%d]", i,
                              to_string(s).c_str(), rows, cols));
}

}  // namespace

Result<RnnSizes> rnn_sizes(const OpView& op, const RnnInputs& at, bool time_major) {
  EDGE_TRY(op.expect_input(at.input, {DType::kFloat32}));
  const Shape& x = op.in(at.input).spec.shape;
  const DType type = op.in(at.weights).spec.dtype;
  EDGE_TRY(op.expect_input(at.weights, {DType::kFloat32, DType::kInt8, DType::kUInt8}));
  EDGE_TRY(check_product(op, at.weights, type));
  if (x.rank() < 2 || x.rank() > 3) {
    return invalid_model(format("its input has shape %s", to_string(x).c_str()));
  }
  const int32_t units = op.in(at.weights).spec.shape[0], depth = x[x.rank() - 1];
  if (units < 1 || depth < 1) return invalid_model("it has no units or no inputs");
  EDGE_TRY(expect_weights(op, at.weights, type, units, depth));
  EDGE_TRY(expect_weights(op, at.recurrent(), type, units, units));
  if (at.auxiliary != 0) {
    const Shape& a = op.in(at.auxiliary).spec.shape;
    EDGE_TRY(expect_weights(op, at.extra, type, units, a[a.rank() - 1]));
  }
  EDGE_TRY(op.expect_input(at.bias(), {DType::kFloat32}));
  const Value& bias = op.in(at.bias());
  if (bias.spec.shape != Shape{units}) {
    return invalid_model(
        format("its biases have shape %s, wanted [%d]", to_string(bias.spec.shape).c_str(), units));
  }
  RnnSizes s;
  s.steps = static_cast<size_t>(x.rank() == 2 ? 1 : x[time_major ? 0 : 1]);
  s.batches = static_cast<size_t>(x[x.rank() == 3 && time_major ? 1 : 0]);
  s.inputs = static_cast<size_t>(depth);
  s.units = static_cast<size_t>(units);
  EDGE_TRY(op.expect_variable(at.state(), DType::kFloat32,
                              static_cast<int64_t>(s.batches) * static_cast<int64_t>(s.units)));
  return s;
}

Status prepare_rnn(PrepareContext& op, const RnnInputs& at, const RnnOptions& options, Rnn* r) {
  r->at = at;
  r->options = options;
  EDGE_ASSIGN(r->sizes, rnn_sizes(op, at, options.time_major));
  EDGE_TRY(op.expect_known(at.bias()));
  const RnnSizes& s = r->sizes;
  if (options.activation == Activation::kSignBit) return unsupported("activation SIGN_BIT");
  std::vector<float> bias(s.units);
  std::memcpy(bias.data(), op.in(at.bias()).data.data(), s.units * sizeof(float));
  EDGE_TRY(r->input.prepare(op, {at.weights}, bias, options.asymmetric));
  EDGE_TRY(r->recurrent.prepare(op, {at.recurrent()}, {}, options.asymmetric));
  if (at.auxiliary != 0) {
    EDGE_TRY(r->auxiliary.prepare(op, {at.extra}, {}, options.asymmetric));
  }
  const Shape& y = op.out(0).spec.shape;
  r->output_width = static_cast<size_t>(y[y.rank() - 1]);
  r->product_at = align_up(s.batches * s.units * sizeof(float) + kOverread);
  r->scratch_at = 2 * r->product_at;
  size_t most = 0;
  for (const RowProduct* p : {&r->input, &r->auxiliary, &r->recurrent}) {
    most = std::max(most, p->scratch_bytes(s.batches));
  }
  op.scratch_shared = std::max(op.scratch_shared, r->scratch_at + most);
  return {};
}

void run_rnn(const EvalContext& run, const Rnn& r, float* out) {
  const RnnSizes& s = r.sizes;
  float* sums = reinterpret_cast<float*>(run.shared_scratch());
  float* product = reinterpret_cast<float*>(run.shared_scratch() + r.product_at);
  uint8_t* scratch = run.shared_scratch() + r.scratch_at;
  float* state = run.variable<float>(r.at.state());
  const size_t batch_step = r.options.time_major ? 1 : s.steps;  // in rows
  const size_t time_step = r.options.time_major ? s.batches : 1;
  const size_t all = s.batches * s.units;
  const auto add = [&](const RowProduct& p, const float* x, size_t step) {
    p.run(x, step, s.batches, product, scratch);
    for (size_t k = 0; k < all; ++k) sums[k] += product[k];
  };
  for (size_t i = 0; i < s.steps; ++i) {
    const size_t t = (r.options.backward ? s.steps - 1 - i : i) * time_step;
    r.input.run(run.in<float>(r.at.input) + t * s.inputs, batch_step * s.inputs, s.batches, sums,
                scratch);
    if (!r.auxiliary.empty()) {
      const size_t depth = r.auxiliary.depth();
      add(r.auxiliary, run.in<float>(r.at.auxiliary) + t * depth, batch_step * depth);
    }
    add(r.recurrent, state, s.units);
    activate(r.options.activation, sums, all);
    std::copy_n(sums, all, state);
    for (size_t b = 0; b < s.batches; ++b) {
      std::copy_n(sums + b * s.units, s.units, out + (t + b * batch_step) * r.output_width);
    }
  }
}

}  // namespace edge
