#include "ops/support/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace edge {

Range type_range(DType type) {
  if (type == DType::kInt16) return {-32768, 32767};
  return type == DType::kInt8 ? Range{-128, 127} : Range{0, 255};
}

Result<Range> activation_range(Activation activation, const TensorSpec& output) {
  Range range = type_range(output.dtype);
  auto code = [&](float value) {
    const float q = std::round(value / output.scale());
    // A tiny scale puts the bound outside of every type's codes.
    const float limit = 1 << 24;
    return output.zero_point() + static_cast<int32_t>(std::min(std::max(q, -limit), limit));
  };
  switch (activation) {
    case Activation::kNone:
      return range;
    case Activation::kRelu:
      range.low = std::max(range.low, code(0.f));
      return range;
    case Activation::kRelu6:
      range.low = std::max(range.low, code(0.f));
      range.high = std::min(range.high, code(6.f));
      return range;
    case Activation::kReluN1To1:
      range.low = std::max(range.low, code(-1.f));
      range.high = std::min(range.high, code(1.f));
      return range;
    default:
      return unsupported("fused TANH and SIGN_BIT activations");
  }
}

Result<FloatRange> activation_range(Activation activation) {
  constexpr float kMax = std::numeric_limits<float>::max();
  switch (activation) {
    case Activation::kNone:
      return FloatRange{-kMax, kMax};
    case Activation::kRelu:
      return FloatRange{0.f, kMax};
    case Activation::kRelu6:
      return FloatRange{0.f, 6.f};
    case Activation::kReluN1To1:
      return FloatRange{-1.f, 1.f};
    default:
      return unsupported("fused TANH and SIGN_BIT activations");
  }
}

Status expect_symmetric(const Value& value) {
  const TensorSpec& s = value.spec;
  if (s.quant.scale.size() != 1) {
    return invalid_model(format("tensor '%.100s' has %zu quantization scales, wanted 1",
                                s.name.c_str(), s.quant.scale.size()));
  }
  EDGE_TRY(check_scales(s.quant, format("tensor '%.100s'", s.name.c_str()).c_str()));
  if (s.zero_point() == 0) return {};
  return invalid_model(format("tensor '%.100s' is %s and has zero point %d, wanted 0",
                              s.name.c_str(), dtype_name(s.dtype), s.zero_point()));
}

Status check_scales(const Quantization& quant, const char* what) {
  if (quant.scale.empty()) return invalid_model(format("%s has no quantization scale", what));
  for (float s : quant.scale) {
    if (!(s > 0) || !std::isfinite(s)) {
      return invalid_model(format("%s has the impossible scale %g", what, static_cast<double>(s)));
    }
  }
  return {};
}

}  // namespace edge
