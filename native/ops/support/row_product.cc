#include "ops/support/row_product.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/arena.h"
#include "base/cpu.h"

namespace edge {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Rows that are multiplied at once.
size_t at_once(const gemm::Layer& layer) { return gemm::block_rows(layer); }

}  // namespace

Status check_product(const OpView& op, size_t input, DType type) {
  EDGE_TRY(op.expect_input(input, {type}));
  const Value& w = op.in(input);
  if (w.spec.shape.rank() != 2) {
    return invalid_model(
        format("its weights, input %zu, have shape %s", input, to_string(w.spec.shape).c_str()));
  }
  if (type == DType::kFloat32) return {};
  if (w.spec.quant.scale.size() != 1 || !std::isfinite(w.spec.scale())) {
    return invalid_model(format("its weights, input %zu, do not have one scale", input));
  }
  return {};
}

std::vector<uint8_t> RowProduct::stacked(const OpView& op, const std::vector<size_t>& weights) {
  std::vector<uint8_t> all;
  for (size_t i : weights) {
    const Value& w = op.in(i);
    cols_ += static_cast<size_t>(w.spec.shape[0]);
    all.insert(all.end(), w.data.begin(), w.data.end());
  }
  return all;
}

Status RowProduct::pack_codes(PrepareContext& op, const std::vector<uint8_t>& weights,
                              int32_t x_zero_point, const int32_t* bias) {
  if (cols_ == 0) return {};
  Features features;
  EDGE_TRY(active_features(&features));
  const gemm::Kernel& kernel = gemm::select(features);
  codes_ = {&kernel, {cols_, 1, depth_}, false, nullptr, nullptr, {}};
  const gemm::Weights w{codes_.shape, weights.data(), false, 0, x_zero_point, bias};
  packed_ = Arena(gemm::packed_bytes(codes_, w));
  if (!packed_.data()) return Status(Code::kResource, "no memory for packed weights");
  gemm::pack(w, &codes_, packed_.data());
  op.packed_bytes += packed_.size();
  op.kernel = kernel.name;
  return {};
}

Status RowProduct::prepare(PrepareContext& op, const std::vector<size_t>& weights,
                           std::vector<float> bias, bool asymmetric) {
  for (size_t i : weights) EDGE_TRY(op.expect_known(i));
  depth_ = static_cast<size_t>(op.in(weights[0]).spec.shape[1]);
  asymmetric_ = asymmetric;
  const std::vector<uint8_t> all = stacked(op, weights);
  if (cols_ == 0) return {};
  Features features;
  EDGE_TRY(active_features(&features));
  if (op.in(weights[0]).spec.dtype != DType::kFloat32) {
    for (size_t i : weights) {
      const TensorSpec& w = op.in(i).spec;
      scale_.resize(scale_.size() + static_cast<size_t>(w.shape[0]), w.scale());
    }
    for (size_t n = 0; n < cols_; ++n) {
      uint32_t sum = 0;
      for (size_t k = 0; k < depth_; ++k) {
        sum += static_cast<uint32_t>(static_cast<int8_t>(all[n * depth_ + k]));
      }
      sums_.push_back(sum);
    }
    bias_ = std::move(bias);
    bias_.resize(cols_);
    row_codes_ = &row_codes::select(features);
    return pack_codes(op, all, 0, nullptr);
  }
  const gemm_f32::Kernel& kernel = gemm_f32::select(features);
  const gemm_f32::Shape shape{cols_, 1, depth_};
  packed_ = Arena(gemm_f32::packed_bytes(kernel, shape));
  if (!packed_.data()) return Status(Code::kResource, "no memory for packed weights");
  float* packed = reinterpret_cast<float*>(packed_.data());
  std::vector<float> values(all.size() / sizeof(float));
  if (!all.empty()) std::memcpy(values.data(), all.data(), all.size());
  gemm_f32::pack(kernel, shape, values.data(), bias.empty() ? nullptr : bias.data(), packed);
  floats_ = {&kernel, shape, packed, -kInfinity, kInfinity};
  op.packed_bytes += packed_.size();
  op.kernel = kernel.name;
  return {};
}

Status RowProduct::prepare_codes(PrepareContext& op, const std::vector<size_t>& weights,
                                 int32_t x_zero_point, const std::vector<int32_t>& bias) {
  for (size_t i : weights) EDGE_TRY(op.expect_known(i));
  depth_ = static_cast<size_t>(op.in(weights[0]).spec.shape[1]);
  return pack_codes(op, stacked(op, weights), x_zero_point, bias.empty() ? nullptr : bias.data());
}

size_t RowProduct::scratch_bytes(size_t rows) const {
  if (cols_ == 0) return 0;
  const size_t pointers = align_up(Bytes(rows) * sizeof(void*));
  if (codes_.kernel == nullptr) return pointers;
  const Bytes kernel = align_up(gemm::scratch_bytes(codes_)) + Bytes(pointers);
  if (scale_.empty()) return kernel.count();
  const Bytes found = align_up(Bytes(rows) * sizeof(row_codes::Codes));
  return (kernel + found + align_up(Bytes(rows) * depth_ + kOverread)).count();
}

void RowProduct::multiply_codes(const int8_t* x, size_t x_step, size_t rows, void* y,
                                uint8_t* scratch) const {
  uint8_t* kernel = scratch + align_up(rows * sizeof(void*));
  const void** pointers = reinterpret_cast<const void**>(scratch);
  for (size_t i = 0; i < rows; ++i) pointers[i] = x + i * x_step;
  for (size_t i = 0; i < rows; i += at_once(codes_)) {
    const size_t count = std::min(at_once(codes_), rows - i);
    gemm::run(codes_, pointers + i, count, count, 0, cols_, static_cast<int32_t*>(y) + i * cols_,
              cols_, kernel);
  }
}

void RowProduct::run(const int8_t* x, size_t x_step, size_t rows, int32_t* y,
                     uint8_t* scratch) const {
  multiply_codes(x, x_step, rows, y, scratch);
}

void RowProduct::run(const float* x, size_t x_step, size_t rows, float* y, uint8_t* scratch) const {
  if (scale_.empty()) {
    const float** pointers = reinterpret_cast<const float**>(scratch);
    for (size_t i = 0; i < rows; ++i) pointers[i] = x + i * x_step;
    return gemm_f32::run(floats_, pointers, rows, rows, 0, cols_, y, cols_);
  }
  uint8_t* behind =
      scratch + align_up(rows * sizeof(void*)) + align_up(gemm::scratch_bytes(codes_));
  auto* found = reinterpret_cast<row_codes::Codes*>(behind);
  int8_t* codes = reinterpret_cast<int8_t*>(behind + align_up(rows * sizeof(row_codes::Codes)));
  for (size_t i = 0; i < rows; ++i) {
    const float* row = x + i * x_step;
    found[i] = row_codes::find(*row_codes_, row, depth_, asymmetric_);
    row_codes_->encode({&found[i], row, row_codes::roughly(depth_), depth_, codes + i * depth_});
  }
  multiply_codes(codes, depth_, rows, y, scratch);
  for (size_t i = 0; i < rows; ++i) {
    row_codes_->decode({cols_, y + i * cols_, found[i].scale, found[i].offset, sums_.data(),
                        scale_.data(), bias_.data(), false, -kInfinity, kInfinity});
  }
}

}  // namespace edge
