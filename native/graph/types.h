// Element types, shapes and quantization: what a tensor is, apart from its bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/status.h"

namespace edge {

// The numbers are those of the file format's TensorType.
enum class DType : int8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kInt32 = 2,
  kUInt8 = 3,
  kInt64 = 4,
  kString = 5,
  kBool = 6,
  kInt16 = 7,
  kComplex64 = 8,
  kInt8 = 9,
  kFloat64 = 10,
  kComplex128 = 11,
  kUInt64 = 12,
  kResource = 13,
  kVariant = 14,
  kUInt32 = 15,
  kUInt16 = 16,
  kInt4 = 17,
  kBFloat16 = 18,
};
constexpr int kDTypeCount = 19;

// numpy's name ("int8", "float32"); "str" for strings, TFLite's lower-case name for the rest.
const char* dtype_name(DType type);

// Bytes of one element; 0 for types without a fixed size. INT4 packs two in a byte: 0 here. A
// resource is the number of a variable or table.
size_t dtype_size(DType type);

constexpr int kMaxRank = 8;

// Extents per axis, outermost first. Rank 0 is a scalar of one element. -1: unknown.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int32_t> dims) {
    for (int32_t d : dims) push_back(d);
  }
  int rank() const { return rank_; }
  int32_t operator[](int axis) const { return dims_[static_cast<size_t>(axis)]; }
  int32_t& operator[](int axis) { return dims_[static_cast<size_t>(axis)]; }
  const int32_t* begin() const { return dims_.data(); }
  const int32_t* end() const { return dims_.data() + rank_; }
  void push_back(int32_t extent) {
    if (rank_ < kMaxRank) dims_[static_cast<size_t>(rank_++)] = extent;
  }
  // Product of the extents in [first, last); shapes in a Graph are verified not to overflow.
  int64_t count(int first, int last) const {
    int64_t n = 1;
    for (int i = first; i < last; ++i) n *= dims_[static_cast<size_t>(i)];
    return n;
  }
  int64_t count() const { return count(0, rank_); }
  bool known() const {
    for (int32_t d : *this) {
      if (d < 0) return false;
    }
    return true;
  }
  bool operator==(const Shape& o) const {
    if (rank_ != o.rank_) return false;
    for (int i = 0; i < rank_; ++i) {
      if ((*this)[i] != o[i]) return false;
    }
    return true;
  }
  bool operator!=(const Shape& o) const { return !(*this == o); }

 private:
  std::array<int32_t, kMaxRank> dims_{};
  int rank_ = 0;
};

std::string to_string(const Shape& shape);  // "[1,224,224,3]"

// Elements and bytes of a shape, or an error when they pass 2^31 - 1 bytes (TFLite's kernels count
// in int, and no edge device holds more).
Result<size_t> byte_size(DType type, const Shape& shape);

// real = scale[c] * (q - zero_point[c]), c the index along `dimension` or 0 where there is one
// scale.
struct Quantization {
  std::vector<float> scale;
  std::vector<int32_t> zero_point;  // as many as scale
  int dimension = 0;
  bool per_channel() const { return scale.size() > 1; }
  bool operator==(const Quantization& o) const {
    return scale == o.scale && zero_point == o.zero_point &&
           (dimension == o.dimension || !per_channel());
  }
};

struct TensorSpec {
  std::string name;
  DType dtype = DType::kFloat32;
  Shape shape;
  Shape shape_signature;  // as in the file: -1 where an axis is open; rank 0 where it has none
  Quantization quant;
  // Scale and zero point of a tensor with one scale; 0 and 0 for one with none.
  float scale() const { return quant.scale.empty() ? 0.f : quant.scale[0]; }
  int32_t zero_point() const { return quant.zero_point.empty() ? 0 : quant.zero_point[0]; }
};

}  // namespace edge
