// Rows of floats or codes times constant weights, for ops that run step by step:
//
//   y[i][n] = bias[n] + sum_k x[i][k] * w[n][k]
//
// Weights of several tensors may be stacked: their columns follow each other. Float rows with 8-bit
// weights become codes on the way (kernels/row_codes), each row with a scale of its own.
#pragma once

#include <vector>

#include "base/arena.h"
#include "kernels/gemm/gemm.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/row_codes/row_codes.h"
#include "ops/op.h"

namespace edge {

class RowProduct {
 public:
  // Float inputs. Inputs `weights` of the op are constants [columns][depth], all of one type, the
  // 8-bit ones with one scale; `bias` has as many values as they have columns, or is empty.
  Status prepare(PrepareContext& op, const std::vector<size_t>& weights, std::vector<float> bias,
                 bool asymmetric);
  // int8 inputs with a zero point, int32 results.
  Status prepare_codes(PrepareContext& op, const std::vector<size_t>& weights, int32_t x_zero_point,
                       const std::vector<int32_t>& bias);

  bool empty() const { return cols_ == 0; }
  size_t cols() const { return cols_; }
  size_t depth() const { return depth_; }
  // Of the memory, aligned to kAlignment, that run() takes for up to `rows` rows.
  size_t scratch_bytes(size_t rows) const;
  // x: `rows` rows, x_step elements apart; y: [rows][cols()].
  void run(const float* x, size_t x_step, size_t rows, float* y, uint8_t* scratch) const;
  void run(const int8_t* x, size_t x_step, size_t rows, int32_t* y, uint8_t* scratch) const;

 private:
  // Sets cols_.
  std::vector<uint8_t> stacked(const OpView& op, const std::vector<size_t>& weights);
  Status pack_codes(PrepareContext& op, const std::vector<uint8_t>& weights, int32_t x_zero_point,
                    const int32_t* bias);
  void multiply_codes(const int8_t* x, size_t x_step, size_t rows, void* y, uint8_t* scratch) const;

  size_t cols_ = 0, depth_ = 0;
  bool asymmetric_ = false;
  Arena packed_;
  std::vector<float> bias_, scale_;  // by column, empty without codes
  std::vector<uint32_t> sums_;       // of a column's codes
  const row_codes::Kernel* row_codes_ = nullptr;
  gemm_f32::Layer floats_{};
  gemm::Layer codes_{};
};

// The type of constant weights [columns][depth] is `type`, and they have one scale if they are
// 8-bit.
Status check_product(const OpView& op, size_t input, DType type);

}  // namespace edge
