// Reductions: every output element folds the input elements along some axes.
#pragma once

#include <array>
#include <vector>

#include "ops/op.h"

namespace edge {

struct Reduction {
  // The input's axes from the outermost inwards, neighbours of one kind merged. Strides count
  // elements; the output's is 0 along an axis that is reduced.
  struct Axis {
    int64_t count = 1, in = 0, out = 0;
  };
  std::array<Axis, kMaxRank> axes{};
  int rank = 0;
  int64_t inputs = 0, outputs = 0;
  int64_t folded = 0;  // input elements per output element
};

// Input 0 of one of `types`, input 1 with the axes to reduce, and an output of input 0's type.
Status check_reduce(const OpView& op, std::initializer_list<DType> types);
Status infer_reduce(const OpView& op, std::vector<Shape>* shapes);
Result<Reduction> make_reduction(const OpView& op);

// result[o] = fold(result[o], in[i]) for all i that belong to o, in the order of the input.
template <typename In, typename Out, typename Fold>
void reduce(const Reduction::Axis* axes, int rank, const In* in, Out* result, const Fold& fold) {
  if (rank == 0) {
    *result = fold(*result, *in);
  } else if (rank > 1) {
    for (int64_t i = 0; i < axes->count; ++i) {
      reduce(axes + 1, rank - 1, in + i * axes->in, result + i * axes->out, fold);
    }
  } else if (axes->out == 0) {
    Out folded = *result;
    for (int64_t i = 0; i < axes->count; ++i) folded = fold(folded, in[i]);
    *result = folded;
  } else {
    for (int64_t i = 0; i < axes->count; ++i) result[i] = fold(result[i], in[i]);
  }
}

// The same over the whole of `in`, every result starting as `first`.
template <typename In, typename Out, typename Fold>
void reduce(const Reduction& r, Out first, const In* in, Out* result, const Fold& fold) {
  for (int64_t i = 0; i < r.outputs; ++i) result[i] = first;
  if (r.inputs > 0) reduce(r.axes.data(), r.rank, in, result, fold);
}

}  // namespace edge
