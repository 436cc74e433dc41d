#include "ops/support/strided_copy.h"

#include <algorithm>
#include <cstring>

#include "ops/support/parallel.h"

namespace edge {
namespace {

// Rows and columns of one tile: both sides of a transposition stay in the first-level cache.
constexpr int64_t kTile = 16;

// Below this many bytes waking threads costs more than they save.
constexpr size_t kParallelBytes = size_t{64} << 10;

// kUnit 0: `unit` bytes, known at run time only.
template <size_t kUnit>
void copy_rows(const CopyAxis& rows, const CopyAxis& cols, size_t unit, const uint8_t* in,
               uint8_t* out) {
  for (int64_t r0 = 0; r0 < rows.count; r0 += kTile) {
    const int64_t r1 = std::min(r0 + kTile, rows.count);
    for (int64_t c0 = 0; c0 < cols.count; c0 += kTile) {
      const int64_t c1 = std::min(c0 + kTile, cols.count);
      for (int64_t r = r0; r < r1; ++r) {
        const uint8_t* from = in + r * rows.in;
        uint8_t* to = out + r * rows.out;
        for (int64_t c = c0; c < c1; ++c) {
          std::memcpy(to + c * cols.out, from + c * cols.in, kUnit ? kUnit : unit);
        }
      }
    }
  }
}

void copy(const CopyAxis* axes, int rank, size_t unit, const uint8_t* in, uint8_t* out) {
  if (rank > 2) {
    for (int64_t i = 0; i < axes->count; ++i) {
      copy(axes + 1, rank - 1, unit, in + i * axes->in, out + i * axes->out);
    }
    return;
  }
  const CopyAxis rows = rank == 2 ? axes[0] : CopyAxis{};
  const CopyAxis cols = rank >= 1 ? axes[rank - 1] : CopyAxis{};
  switch (unit) {
    case 1:
      return copy_rows<1>(rows, cols, unit, in, out);
    case 2:
      return copy_rows<2>(rows, cols, unit, in, out);
    case 4:
      return copy_rows<4>(rows, cols, unit, in, out);
    case 8:
      return copy_rows<8>(rows, cols, unit, in, out);
    default:
      return copy_rows<0>(rows, cols, unit, in, out);
  }
}

}  // namespace

void StridedCopy::add(CopyAxis axis) { axes_[static_cast<size_t>(rank_++)] = axis; }

void StridedCopy::set_offsets(int64_t in, int64_t out) {
  in_offset_ = in;
  out_offset_ = out;
}

StridedCopy StridedCopy::simplified() const {
  for (int i = 0; i < rank_; ++i) {
    if (axes_[static_cast<size_t>(i)].count == 0) return StridedCopy(0);
  }
  StridedCopy merged(unit_);
  merged.set_offsets(in_offset_, out_offset_);
  for (int i = 0; i < rank_; ++i) {
    const CopyAxis axis = axes_[static_cast<size_t>(i)];
    if (axis.count == 1) continue;
    if (merged.rank_ > 0) {
      CopyAxis& outer = merged.axes_[static_cast<size_t>(merged.rank_ - 1)];
      if (outer.in == axis.in * axis.count && outer.out == axis.out * axis.count) {
        outer = {outer.count * axis.count, axis.in, axis.out};
        continue;
      }
    }
    merged.add(axis);
  }
  if (merged.rank_ > 0) {
    const CopyAxis& last = merged.axes_[static_cast<size_t>(merged.rank_ - 1)];
    const int64_t unit = static_cast<int64_t>(unit_);
    if (last.in == unit && last.out == unit) {
      merged.unit_ *= static_cast<size_t>(last.count);
      --merged.rank_;
    }
  }
  return merged;
}

int64_t StridedCopy::bytes() const {
  int64_t n = static_cast<int64_t>(unit_);
  for (int i = 0; i < rank_; ++i) n *= axes_[static_cast<size_t>(i)].count;
  return n;
}

void StridedCopy::run(const uint8_t* in, uint8_t* out) const {
  if (bytes() == 0) return;
  copy(axes_.data(), rank_, unit_, in + in_offset_, out + out_offset_);
}

void StridedCopy::run(const uint8_t* in, uint8_t* out, ThreadPool& pool) const {
  if (in + in_offset_ == out + out_offset_) return;  // pieces that lie where they belong
  const size_t total = static_cast<size_t>(bytes());
  if (pool.threads() == 1 || rank_ == 0 || total < 2 * kParallelBytes) return run(in, out);
  const auto longest =
      std::max_element(axes_.begin(), axes_.begin() + rank_,
                       [](const CopyAxis& a, const CopyAxis& b) { return a.count < b.count; });
  const size_t which = static_cast<size_t>(longest - axes_.begin());
  const size_t count = static_cast<size_t>(longest->count);
  const size_t item = total / count;
  const Chunks chunks =
      cut(count, (kParallelBytes + item - 1) / item, static_cast<size_t>(pool.threads()));
  pool.run(chunks.count, [&](size_t chunk, int) {
    const size_t first = chunk * chunks.size;
    const int64_t start = static_cast<int64_t>(first);
    StridedCopy part = *this;
    part.axes_[which].count = static_cast<int64_t>(std::min(chunks.size, count - first));
    part.in_offset_ += start * longest->in;
    part.out_offset_ += start * longest->out;
    part.run(in, out);
  });
}

std::array<int64_t, kMaxRank> byte_strides(const Shape& shape, size_t element) {
  std::array<int64_t, kMaxRank> strides{};
  if (shape.count() == 0) return strides;  // the other extents may be of any size
  int64_t step = static_cast<int64_t>(element);
  for (int i = shape.rank(); i-- > 0;) {
    strides[static_cast<size_t>(i)] = step;
    step *= shape[i];
  }
  return strides;
}

}  // namespace edge
