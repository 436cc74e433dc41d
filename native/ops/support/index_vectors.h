// The starts of slices, as STABLEHLO_GATHER and STABLEHLO_SCATTER have them: one axis of an index
// tensor holds the coordinates of a start, the others number the starts.
#pragma once

#include "ops/support/indices.h"

namespace edge {

struct IndexVectors {
  std::vector<int64_t> axes;   // of the array, one a coordinate
  std::vector<int64_t> batch;  // extents of the other axes
  size_t index_bytes = 0;
  int64_t inner = 1;  // starts that follow one another within one step of the coordinates' axis
  int64_t size() const { return static_cast<int64_t>(axes.size()); }

  // Coordinate c of start `number`.
  int64_t at(const Indices& indices, int64_t number, int64_t c) const {
    return indices[(number / inner * size() + c) * inner + number % inner];
  }
};

// Whether these are axes below `rank`, none twice, and in order where `ascending`.
inline bool are_axes(const std::vector<int64_t>& axes, int64_t rank, bool ascending) {
  bool seen[2 * kMaxRank] = {};
  int64_t last = -1;
  for (int64_t a : axes) {
    if (a < 0 || a >= rank || seen[a] || (ascending && a < last)) return false;
    seen[a] = true;
    last = a;
  }
  return true;
}

inline Result<IndexVectors> index_vectors(const TensorSpec& indices,
                                          const std::vector<int64_t>& axes, int64_t vector_axis,
                                          int rank) {
  const Shape& s = indices.shape;
  const int64_t coordinates = vector_axis < 0 || vector_axis > s.rank() ? -1
                              : vector_axis == s.rank() ? 1
                                                        : s[static_cast<int>(vector_axis)];
  if (coordinates != static_cast<int64_t>(axes.size()) || !are_axes(axes, rank, false)) {
    return invalid_model(format("starts in axis %lld of %s for %zu axes",
                                static_cast<long long>(vector_axis), to_string(s).c_str(),
                                axes.size()));
  }
  IndexVectors v;
  v.axes = axes;
  v.index_bytes = dtype_size(indices.dtype);
  for (int i = 0; i < s.rank(); ++i) {
    if (i != vector_axis) v.batch.push_back(s[i]);
    if (i > vector_axis) v.inner *= s[i];
  }
  return v;
}

}  // namespace edge
