// STABLEHLO_GATHER: slices of input 0 that begin where the vectors in input 1 say, moved so that
// all of their elements exist.
#include <algorithm>

#include "ops/support/index_vectors.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  IndexVectors starts;
  std::vector<int64_t> last, stride;  // by coordinate: the last start; bytes
  std::vector<int64_t> batch_stride;  // bytes of the output
  int64_t count = 0;                  // slices
  StridedCopy slice;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<StablehloGatherAttributes>());
  EDGE_TRY(op.expect_arity(2, 2, 1));
  EDGE_TRY(expect_movable(op, 0));
  EDGE_TRY(op.expect_input(1, {DType::kInt32, DType::kInt64}));
  return op.expect_output_as_input();
}

Result<IndexVectors> starts_of(const OpView& op) {
  const auto& a = op.attributes<StablehloGatherAttributes>();
  return index_vectors(op.in(1).spec, a.start_index_map, a.index_vector_dim,
                       op.in(0).spec.shape.rank());
}

bool contains(const std::vector<int64_t>& axes, int64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const auto& a = op.attributes<StablehloGatherAttributes>();
  const Shape& x = op.in(0).spec.shape;
  EDGE_ASSIGN(const IndexVectors starts, starts_of(op));
  const size_t rank = static_cast<size_t>(x.rank());
  const size_t out_rank = a.offset_dims.size() + starts.batch.size();
  bool fits = a.slice_sizes.size() == rank && are_axes(a.collapsed_slice_dims, x.rank(), true) &&
              a.offset_dims.size() + a.collapsed_slice_dims.size() == rank &&
              out_rank <= static_cast<size_t>(kMaxRank) &&
              are_axes(a.offset_dims, static_cast<int64_t>(out_rank), true);
  std::vector<int64_t> kept;
  for (size_t i = 0; fits && i < rank; ++i) {
    const int64_t size = a.slice_sizes[i];
    const bool collapsed = contains(a.collapsed_slice_dims, static_cast<int64_t>(i));
    fits = size >= 0 && size <= x[static_cast<int>(i)] && (!collapsed || size == 1);
    if (!collapsed) kept.push_back(size);
  }
  if (!fits) return invalid_model(format("its slices do not fit %s", to_string(x).c_str()));
  size_t k = 0, b = 0;
  for (size_t i = 0; i < out_rank; ++i) {
    const bool offset = contains(a.offset_dims, static_cast<int64_t>(i));
    EDGE_TRY(append_extent(offset ? kept[k++] : starts.batch[b++], &(*shapes)[0]));
  }
  return {};
}

Status prepare(PrepareContext& op) {
  const auto& a = op.attributes<StablehloGatherAttributes>();
  const TensorSpec &x = op.in(0).spec, &y = op.out(0).spec;
  const size_t element = dtype_size(x.dtype);
  const auto from = byte_strides(x.shape, element), to = byte_strides(y.shape, element);
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.starts, starts_of(op));
  for (int64_t axis : s.starts.axes) {
    const size_t i = static_cast<size_t>(axis);
    s.last.push_back(x.shape[static_cast<int>(axis)] - a.slice_sizes[i]);
    s.stride.push_back(from[i]);
  }
  StridedCopy copy(element);
  size_t k = 0;
  for (size_t i = 0; i < a.slice_sizes.size(); ++i) {
    if (contains(a.collapsed_slice_dims, static_cast<int64_t>(i))) continue;
    copy.add({a.slice_sizes[i], from[i], to[static_cast<size_t>(a.offset_dims[k++])]});
  }
  s.slice = copy.simplified();
  s.count = y.shape.count() == 0 ? 0 : 1;
  for (int i = 0; i < y.shape.rank(); ++i) {
    if (contains(a.offset_dims, i)) continue;
    s.batch_stride.push_back(to[static_cast<size_t>(i)]);
    s.count *= y.shape[i];
  }
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const Indices indices(run.in<uint8_t>(1), s.starts.index_bytes);
  for (int64_t n = 0; n < s.count; ++n) {
    const uint8_t* in = run.in<uint8_t>(0);
    for (size_t c = 0; c < s.last.size(); ++c) {
      const int64_t start = s.starts.at(indices, n, static_cast<int64_t>(c));
      in += std::max<int64_t>(std::min(start, s.last[c]), 0) * s.stride[c];
    }
    uint8_t* out = run.out<uint8_t>(0);
    int64_t rest = n;
    for (size_t b = s.batch_stride.size(); b-- > 0; rest /= s.starts.batch[b]) {
      out += rest % s.starts.batch[b] * s.batch_stride[b];
    }
    s.slice.run(in, out);
  }
}

}  // namespace

extern const OpDef op_stablehlo_gather{check, infer, prepare, eval};

}  // namespace edge
