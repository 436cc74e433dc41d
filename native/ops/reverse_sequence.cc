// REVERSE_SEQUENCE: for each index along one axis, so many first elements along another one in
// reverse order.
#include <cstring>

#include "ops/support/indices.h"
#include "ops/support/movement.h"

namespace edge {
namespace {

struct State {
  // The input seen as [outer][first][middle][second][inner bytes], where first and second are the
  // two axes.
  int64_t outer = 0, first = 0, middle = 0, second = 0, inner = 0;
  bool batch_first = false;
  size_t length_bytes = 0;
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<ReverseSequenceAttributes>());
  return check_movement(op, 2);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &x = op.in(0).spec.shape, &lengths = op.in(1).spec.shape;
  const auto& a = op.attributes<ReverseSequenceAttributes>();
  if (a.seq_dim < 0 || a.seq_dim >= x.rank() || a.batch_dim < 0 || a.batch_dim >= x.rank() ||
      a.seq_dim == a.batch_dim || lengths.rank() != 1 || lengths[0] != x[a.batch_dim]) {
    return invalid_model(format("lengths %s for %s, along axis %d for each of axis %d",
                                to_string(lengths).c_str(), to_string(x).c_str(), a.seq_dim,
                                a.batch_dim));
  }
  (*shapes)[0] = x;
  return {};
}

Status prepare(PrepareContext& op) {
  const Shape& x = op.in(0).spec.shape;
  const auto& a = op.attributes<ReverseSequenceAttributes>();
  State& s = op.make_state<State>();
  s.length_bytes = dtype_size(op.in(1).spec.dtype);
  if (x.count() == 0) return {};
  const int first = std::min(a.seq_dim, a.batch_dim), second = std::max(a.seq_dim, a.batch_dim);
  s.outer = x.count(0, first);
  s.first = x[first];
  s.middle = x.count(first + 1, second);
  s.second = x[second];
  s.inner = x.count(second + 1, x.rank()) * static_cast<int64_t>(dtype_size(op.in(0).spec.dtype));
  s.batch_first = a.batch_dim < a.seq_dim;
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const Indices lengths(run.in<uint8_t>(1), s.length_bytes);
  const int64_t batches = s.batch_first ? s.first : s.second;
  const int64_t steps = s.batch_first ? s.second : s.first;
  for (int64_t b = 0; s.outer > 0 && b < batches; ++b) {
    if (lengths[b] >= 0 && lengths[b] <= steps) continue;
    return run.fail(
        invalid_argument(format("length %lld of %lld elements", static_cast<long long>(lengths[b]),
                                static_cast<long long>(steps))));
  }
  uint8_t* out = run.out<uint8_t>(0);
  for (int64_t o = 0; o < s.outer; ++o) {
    const uint8_t* in = run.in<uint8_t>(0) + o * s.first * s.middle * s.second * s.inner;
    for (int64_t i = 0; i < s.first; ++i) {
      for (int64_t m = 0; m < s.middle; ++m) {
        for (int64_t j = 0; j < s.second; ++j, out += s.inner) {
          const int64_t length = lengths[s.batch_first ? i : j], step = s.batch_first ? j : i;
          const int64_t from = step < length ? length - 1 - step : step;
          const int64_t row = s.batch_first ? i : from, column = s.batch_first ? from : j;
          std::memcpy(out, in + ((row * s.middle + m) * s.second + column) * s.inner,
                      static_cast<size_t>(s.inner));
        }
      }
    }
  }
}

}  // namespace

extern const OpDef op_reverse_sequence{check, infer, prepare, eval};

}  // namespace edge
