// STABLEHLO_SCATTER: input 0 with windows of input 2 combined into it, which begin where the
// vectors in input 1 say. What lies outside of the array is left out.
#include <cstring>

#include "ops/support/combine.h"
#include "ops/support/index_vectors.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  DType type = DType::kFloat32;
  Combine how = Combine::kSecond;
  size_t bytes = 0;
  int64_t updates = 0;
  IndexVectors starts;
  struct Axis {
    int64_t extent;
    int64_t batch;    // starts from one item to the next, along an axis that numbers them
    int window = -1;  // the array's axis, along one of a window's
  };
  std::vector<Axis> axes;               // of the updates
  std::vector<int64_t> extent, stride;  // of the array, in elements
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<StablehloScatterAttributes>());
  EDGE_TRY(op.expect_arity(3, 3, 1));
  EDGE_TRY(op.expect_input(
      0, {DType::kFloat32, DType::kFloat64, DType::kInt8, DType::kUInt8, DType::kInt16,
          DType::kUInt16, DType::kInt32, DType::kUInt32, DType::kInt64, DType::kBool}));
  EDGE_TRY(op.expect_input(1, {DType::kInt32, DType::kInt64}));
  EDGE_TRY(op.expect_input(2, {op.in(0).spec.dtype}));
  if (combine_of(op.node().body) == Combine::kUnknown) {
    return unsupported("updates that are combined by another graph than one op");
  }
  return op.expect_output_as_input();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  (*shapes)[0] = op.in(0).spec.shape;
  return {};
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<StablehloScatterAttributes>();
  const TensorSpec& x = op.in(0).spec;
  const Shape& updates = op.in(2).spec.shape;
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.starts, index_vectors(op.in(1).spec, a.scatter_dims_to_operand_dims,
                                      a.index_vector_dim, x.shape.rank()));
  EDGE_ASSIGN(s.bytes, byte_size(x.dtype, x.shape));
  s.type = x.dtype;
  s.how = combine_of(op.node().body);
  s.updates = s.bytes == 0 ? 0 : updates.count();
  if (!are_axes(a.update_window_dims, updates.rank(), true) ||
      !are_axes(a.inserted_window_dims, x.shape.rank(), true) ||
      a.update_window_dims.size() + a.inserted_window_dims.size() !=
          static_cast<size_t>(x.shape.rank()) ||
      a.update_window_dims.size() + s.starts.batch.size() != static_cast<size_t>(updates.rank())) {
    return invalid_model(
        format("updates %s do not fit %s", to_string(updates).c_str(), to_string(x.shape).c_str()));
  }
  const auto elements = byte_strides(x.shape, 1);
  std::vector<int> windowed;  // axes of the array that windows have
  for (int i = 0; i < x.shape.rank(); ++i) {
    s.extent.push_back(x.shape[i]);
    s.stride.push_back(elements[static_cast<size_t>(i)]);
    if (!std::count(a.inserted_window_dims.begin(), a.inserted_window_dims.end(), i)) {
      windowed.push_back(i);
    }
  }
  size_t w = 0, b = 0;
  for (int i = 0; i < updates.rank(); ++i) {
    State::Axis axis{updates[i], 0};
    if (w < windowed.size() && a.update_window_dims[w] == i) {
      axis.window = windowed[w++];
    } else {
      axis.batch = 1;
      for (size_t k = b + 1; k < s.starts.batch.size(); ++k) axis.batch *= s.starts.batch[k];
      if (updates[i] != s.starts.batch[b++]) {
        return invalid_model(format("updates %s for starts in %s", to_string(updates).c_str(),
                                    to_string(op.in(1).spec.shape).c_str()));
      }
    }
    s.axes.push_back(axis);
  }
  return {};
}

// The element of the array that update `n` meets, or -1.
int64_t target(const State& s, const Indices& indices, int64_t n) {
  int64_t place[kMaxRank] = {}, start = 0;
  for (size_t i = s.axes.size(); i-- > 0; n /= s.axes[i].extent) {
    const int64_t at = n % s.axes[i].extent;
    if (s.axes[i].window >= 0) {
      place[s.axes[i].window] = at;
    } else {
      start += at * s.axes[i].batch;
    }
  }
  for (size_t c = 0; c < s.starts.axes.size(); ++c) {
    int64_t& p = place[s.starts.axes[c]];
    if (__builtin_add_overflow(p, s.starts.at(indices, start, static_cast<int64_t>(c)), &p)) {
      return -1;
    }
  }
  int64_t element = 0;
  for (size_t i = 0; i < s.extent.size(); ++i) {
    if (place[i] < 0 || place[i] >= s.extent[i]) return -1;
    element += place[i] * s.stride[i];
  }
  return element;
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  if (s.bytes) std::memmove(run.out<uint8_t>(0), run.in<uint8_t>(0), s.bytes);
  const Indices indices(run.in<uint8_t>(1), s.starts.index_bytes);
  by_type<float, double, int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t>(
      s.type, [&](auto of) {
        using T = decltype(of);
        T* out = run.out<T>(0);
        for (int64_t n = 0; n < s.updates; ++n) {
          const int64_t at = target(s, indices, n);
          if (at < 0) continue;
          const T v = combine(s.how, out[at], run.in<T>(2)[n]);
          out[at] = s.type == DType::kBool ? static_cast<T>(v != T{0}) : v;
        }
      });
}

}  // namespace

extern const OpDef op_stablehlo_scatter{check, infer, prepare, eval};

}  // namespace edge
