// Ops that map each element by itself. On tensors of codes they all are a table, of 256 codes or
// for int16 of 65,536, filled in prepare().
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "kernels/elementwise/elementwise.h"
#include "ops/op.h"
#include "ops/support/interpolation.h"
#include "ops/support/parallel.h"
#include "ops/support/quantize.h"

namespace edge {

struct Unary {
  DType type = DType::kFloat32;
  size_t count = 0;
  const elementwise::KernelLut* lut = nullptr;  // 8-bit tensors only, as is the table
  std::array<uint8_t, 256> table{};             // output code by input code, both as bytes
  bool flips = false;                           // table[x] = x ^ table[0] for all x
  std::vector<int16_t> wide;                    // of int16 instead, by code + 32768
};

// One input and one output of one type among `types`, with one scale each where they are codes,
// symmetric where those are int16.
Status check_unary(const OpView& op, std::initializer_list<DType> types);

// The output's shape is the input's.
Status infer_unary(const OpView& op, std::vector<Shape>* shapes);

// Sets all but the table's contents.
Status prepare_unary(PrepareContext& op, Unary* state);
void eval_table(const EvalContext& run, const Unary& state);
bool table_flips(const std::array<uint8_t, 256>& table);

inline bool is_8bit(DType type) { return type == DType::kInt8 || type == DType::kUInt8; }
inline bool is_coded(DType type) { return is_8bit(type) || type == DType::kInt16; }

// table[q] = f(q) cut to the output's codes. f takes int32_t and returns int32_t.
template <typename F>
void fill_table(DType in, DType out, const F& f, std::array<uint8_t, 256>* table) {
  const Range from = type_range(in), to = type_range(out);
  for (int32_t q = from.low; q <= from.high; ++q) {
    const int32_t code = std::min(std::max(f(q), to.low), to.high);
    (*table)[static_cast<uint8_t>(q)] = static_cast<uint8_t>(code);
  }
}
template <typename F>
void fill_table(DType in, DType out, const F& f, Unary* state) {
  if (in != DType::kInt16) return fill_table(in, out, f, &state->table);
  const Range from = type_range(in), to = type_range(out);
  state->wide.reserve(65536);
  for (int32_t q = from.low; q <= from.high; ++q) {
    state->wide.push_back(static_cast<int16_t>(std::min(std::max(f(q), to.low), to.high)));
  }
}

// The table of a real function, rounded half away from zero. All in float32, except that f itself
// should compute in double and round once: no C library's expf is the same as every other's. For
// int16 TFLite has points of it, see interpolation.h.
template <typename F>
void fill_real_table(const TensorSpec& in, const TensorSpec& out, const F& f,
                     std::array<uint8_t, 256>* table) {
  const Range to = type_range(out.dtype);
  const float low = static_cast<float>(to.low), high = static_cast<float>(to.high);
  const float inverse = 1.f / out.scale();
  auto code = [&](int32_t q) {
    const float y = f(in.scale() * static_cast<float>(q - in.zero_point()));
    const float v = std::round(y * inverse) + static_cast<float>(out.zero_point());
    return static_cast<int32_t>(v > low ? std::min(v, high) : low);  // NaN: the lowest
  };
  fill_table(in.dtype, out.dtype, code, table);
}
template <typename F>
void fill_real_table(const TensorSpec& in, const TensorSpec& out, const F& f, Unary* state) {
  if (in.dtype != DType::kInt16) return fill_real_table(in, out, f, &state->table);
  const Points points = make_points<float>(in.scale(), -32768, out.scale(), f);
  auto code = [&](int32_t q) { return int32_t{interpolate(q, points)}; };
  fill_table(in.dtype, out.dtype, code, state);
}

// y[i] = f(x[i]) for elements of type T.
template <typename T, typename F>
void map_unary(const EvalContext& run, size_t count, const F& f) {
  const T* x = run.in<T>(0);
  T* y = run.out<T>(0);
  for_chunks(run.pool(), count, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) y[i] = f(x[i]);
  });
}

// prepare and eval of a real function that works on float32 and codes. `real` is the
// function in double.
template <typename F>
Status prepare_real(PrepareContext& op, const F& real) {
  Unary& state = op.make_state<Unary>();
  EDGE_TRY(prepare_unary(op, &state));
  if (is_coded(state.type)) {
    auto rounded = [&](float x) { return static_cast<float>(real(static_cast<double>(x))); };
    fill_real_table(op.in(0).spec, op.out(0).spec, rounded, &state);
  }
  return {};
}
template <typename F>
void eval_real(const EvalContext& run, const F& f) {
  const Unary& state = run.state<Unary>();
  if (is_coded(state.type)) return eval_table(run, state);
  map_unary<float>(run, state.count, f);
}

}  // namespace edge
