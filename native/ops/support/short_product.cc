#include "ops/support/short_product.h"

#include "ops/support/parallel.h"

namespace edge {

Status prepare_short_product(PrepareContext& op, const MatrixSpec& spec, ShortProduct* product) {
  EDGE_TRY(expect_known_weights(op, spec, product->cols));
  const Value& w = op.in(spec.operands.w);
  product->weights = reinterpret_cast<const int16_t*>(w.data.data());
  product->zero_point = w.spec.quant.per_channel() ? 0 : w.spec.zero_point();
  WideRule rule = wide_rule(op, spec, product->cols);
  rule.rule = requantize::Rule::kWideReduced;
  std::vector<double> scale;
  for (size_t n = 0; n < product->cols; ++n) {
    EDGE_TRY(append_multiplier(op, rule, spec.operands, n, &product->multiplier, &product->exponent,
                               &scale));
  }
  product->bias = std::move(rule.bias);
  EDGE_ASSIGN(const Range range, activation_range(spec.activation, op.out(0).spec));
  product->params.multiplier = product->multiplier.data();
  product->params.exponent = product->exponent.data();
  product->params.min = range.low;
  product->params.max = range.high;
  return {};
}

void run_short_product(const EvalContext& run, const ShortProduct& p) {
  for_chunks(run.pool(), p.rows * p.cols, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t n = i % p.cols;
      const int16_t* x = run.in<int16_t>(0) + i / p.cols * p.depth;
      const int16_t* w = p.weights + n * p.depth;
      int64_t products = 0, sum = 0;
      for (size_t k = 0; k < p.depth; ++k) {
        products += int32_t{x[k]} * w[k];
        sum += x[k];
      }
      const int64_t acc = products - p.zero_point * sum + p.bias[n];
      run.out<int16_t>(0)[i] =
          requantize::wide_result(requantize::Rule::kWideReduced, p.params, acc, n);
    }
  });
}

}  // namespace edge
