#include "ops/support/windows.h"

#include <algorithm>
#include <cstring>

#include "base/arena.h"

namespace edge {
namespace {

// Longer runs are worth a pointer for each of their cells.
constexpr size_t kLongestRun = 256;

// Copying moves whole vectors.
constexpr size_t kVector = 16;

size_t round_up(size_t n, size_t step) { return (n + step - 1) / step * step; }

// Where a copied run begins: each has a vector's worth of room behind it.
size_t run_slot(const Windows& w) { return round_up(w.run_bytes(), kVector) + kVector; }

// `count` output pixels of one row, from ox on, of picture b.
struct Segment {
  int b, oy, ox;
  size_t count;
};

int64_t left_of(const Picture& p, int64_t ox) { return ox * p.w.stride - p.w.before; }

// The row of the input under row fy of the window, or null where that lies outside.
const uint8_t* input_row(const Picture& p, const Rows& x, const Segment& s, int fy) {
  const int64_t y = int64_t{s.oy} * p.h.stride - p.h.before + int64_t{fy} * p.h.dilation;
  if (y < x.first || y >= x.last) return nullptr;
  const int64_t row = int64_t{s.b} * p.h.in + y - x.first;
  return x.data + row * p.w.in * static_cast<int64_t>(p.cell_bytes);
}

void point_at_taps(const Windows& w, const Rows& input, size_t offset, const Segment& s,
                   const uint8_t** pointers) {
  const Picture& p = w.picture;
  const int64_t cell = static_cast<int64_t>(p.cell_bytes);
  for (int fy = 0; fy < p.h.filter; ++fy) {
    const uint8_t* row = input_row(p, input, s, fy);
    for (int fx = 0; fx < p.w.filter; ++fx, pointers += w.block_rows) {
      int64_t x = left_of(p, s.ox) + int64_t{fx} * p.w.dilation;
      for (size_t i = 0; i < s.count; ++i, x += p.w.stride) {
        const bool inside = row != nullptr && x >= 0 && x < p.w.in;
        pointers[i] = (inside ? row + x * cell : p.filler.data()) + offset;
      }
    }
  }
}

void copy_vectors(uint8_t* to, const uint8_t* from, size_t bytes) {
  size_t i = 0;
  do {
    std::memcpy(to + i, from + i, kVector);
    i += kVector;
  } while (i < bytes);
}

// One row of a window, cell by cell.
void copy_cells(const Windows& w, const uint8_t* row, size_t offset, int64_t left, uint8_t* to) {
  const Picture& p = w.picture;
  for (int fx = 0; fx < p.w.filter; ++fx, to += w.depth_bytes) {
    const int64_t x = left + int64_t{fx} * p.w.dilation;
    const bool inside = row != nullptr && x >= 0 && x < p.w.in;
    const uint8_t* cell = inside ? row + x * static_cast<int64_t>(p.cell_bytes) : p.filler.data();
    copy_vectors(to, cell + offset, w.depth_bytes);
  }
}

// Output pixels [first, last) of those from `ox` on see no border to their left or right, so that a
// row of their window is one run of the picture.
struct Inside {
  int64_t first, last;
};
Inside inside_of(const Windows& w, const Segment& s) {
  const Picture& p = w.picture;
  const int64_t count = static_cast<int64_t>(s.count);
  if (p.w.dilation != 1 || w.depth_bytes != p.cell_bytes) return {count, count};
  const int64_t from = (int64_t{p.w.before} + p.w.stride - 1) / p.w.stride;
  const int64_t room = int64_t{p.w.in} - p.w.filter + p.w.before;
  const int64_t to = room < 0 ? 0 : room / p.w.stride + 1;
  const int64_t first = std::clamp<int64_t>(from - s.ox, 0, count);
  return {first, std::clamp<int64_t>(to - s.ox, first, count)};
}

void point_at_runs(const Windows& w, const Rows& x, const Segment& s, uint8_t* copies,
                   const uint8_t** pointers) {
  const Picture& p = w.picture;
  const Inside in = inside_of(w, s);
  const size_t slot = run_slot(w);
  const int64_t step = static_cast<int64_t>(p.cell_bytes) * p.w.stride;
  const int64_t count = static_cast<int64_t>(s.count);
  for (int fy = 0; fy < p.h.filter; ++fy, pointers += w.block_rows) {
    const uint8_t* row = input_row(p, x, s, fy);
    if (row == nullptr) {
      std::fill_n(pointers, s.count, p.filler.data());
      continue;
    }
    const auto copied = [&](int64_t i) {
      uint8_t* to = copies + (static_cast<size_t>(i) * static_cast<size_t>(p.h.filter) +
                              static_cast<size_t>(fy)) *
                                 slot;
      copy_cells(w, row, 0, left_of(p, s.ox + i), to);
      pointers[i] = to;
    };
    for (int64_t i = 0; i < in.first; ++i) copied(i);
    const uint8_t* run = row + left_of(p, s.ox + in.first) * static_cast<int64_t>(p.cell_bytes);
    for (int64_t i = in.first; i < in.last; ++i, run += step) pointers[i] = run;
    for (int64_t i = in.last; i < count; ++i) copied(i);
  }
}

void copy_windows(const Windows& w, const Rows& x, size_t offset, const Segment& s,
                  uint8_t* copies) {
  const Picture& p = w.picture;
  const Inside in = inside_of(w, s);
  const size_t run = w.run_bytes(), slot = w.copy_bytes() / w.block_rows;
  const int64_t step = static_cast<int64_t>(p.cell_bytes) * p.w.stride;
  const int64_t count = static_cast<int64_t>(s.count);
  // Row after row: what a copy writes too much, the next row overwrites.
  for (int fy = 0; fy < p.h.filter; ++fy, copies += run) {
    const uint8_t* row = input_row(p, x, s, fy);
    const int64_t first = row == nullptr ? count : in.first;
    uint8_t* to = copies;
    int64_t i = 0;
    for (; i < first; ++i, to += slot) copy_cells(w, row, offset, left_of(p, s.ox + i), to);
    const uint8_t* from = nullptr;
    if (i < in.last) from = row + left_of(p, s.ox + i) * static_cast<int64_t>(p.cell_bytes);
    if (run <= kVector) {
      for (; i < in.last; ++i, to += slot, from += step) std::memcpy(to, from, kVector);
    }
    for (; i < in.last; ++i, to += slot, from += step) copy_vectors(to, from, run);
    for (; i < count; ++i, to += slot) copy_cells(w, row, offset, left_of(p, s.ox + i), to);
  }
}

}  // namespace

size_t Windows::taps() const {
  if (how == Gather::kFlat) return 1;
  return how == Gather::kRuns ? static_cast<size_t>(picture.h.filter) : picture.taps();
}

size_t Windows::tap_bytes() const {
  if (how == Gather::kFlat) return picture.taps() * depth_bytes;
  return how == Gather::kRuns ? run_bytes() : depth_bytes;
}

size_t Windows::copy_bytes() const {
  const size_t rows = static_cast<size_t>(picture.h.filter);
  if (how == Gather::kRuns) return (Bytes(block_rows) * rows * run_slot(*this) + kOverread).count();
  // A vector's worth behind each row of the window, so that rows may be copied in any order of i.
  if (how == Gather::kFlat)
    return (Bytes(block_rows) * align_up(Bytes(rows) * run_bytes() + kVector)).count();
  return 0;
}

Gather choose_gather(const Windows& w, size_t step) {
  const Picture& p = w.picture;
  if (p.taps() == 1) {
    const bool dense = p.h.stride == 1 && p.w.stride == 1 && p.h.in == p.h.out &&
                       p.w.in == p.w.out && p.h.before == 0 && p.w.before == 0;
    return dense ? Gather::kDense : Gather::kTaps;
  }
  // Steps that each way takes; copying is worth a third of them.
  const size_t rows = static_cast<size_t>(p.h.filter);
  const size_t flat = round_up(p.taps() * w.depth_bytes, step);
  const size_t runs = rows * round_up(w.run_bytes(), step);
  const size_t taps = p.taps() * round_up(w.depth_bytes, step);
  const bool whole = p.w.dilation == 1 && w.depth_bytes == p.cell_bytes;
  if (whole && w.run_bytes() <= kLongestRun && runs * 3 <= flat * 4) return Gather::kRuns;
  return taps * 3 <= flat * 4 ? Gather::kTaps : Gather::kFlat;
}

void gather(const Windows& w, const Rows& input, size_t offset, size_t first, size_t rows,
            uint8_t* copies, const uint8_t** pointers) {
  const Picture& p = w.picture;
  if (w.how == Gather::kDense) {
    const size_t held = static_cast<size_t>(input.first) * static_cast<size_t>(p.w.in);
    const uint8_t* x = input.data + (first - held) * p.cell_bytes + offset;
    for (size_t i = 0; i < rows; ++i, x += p.cell_bytes) pointers[i] = x;
    return;
  }
  const size_t width = static_cast<size_t>(p.w.out), height = static_cast<size_t>(p.h.out);
  const size_t slot = w.copy_bytes() / w.block_rows;
  for (size_t i = 0; i < rows;) {
    const size_t y = (first + i) / width, ox = (first + i) % width;
    const Segment s{static_cast<int>(y / height), static_cast<int>(y % height),
                    static_cast<int>(ox), std::min(rows - i, width - ox)};
    if (w.how == Gather::kTaps) point_at_taps(w, input, offset, s, pointers + i);
    if (w.how == Gather::kRuns) {
      point_at_runs(w, input, s, copies + i * static_cast<size_t>(p.h.filter) * run_slot(w),
                    pointers + i);
    }
    if (w.how == Gather::kFlat) {
      copy_windows(w, input, offset, s, copies + i * slot);
      for (size_t j = i; j < i + s.count; ++j) pointers[j] = copies + j * slot;
    }
    i += s.count;
  }
}

}  // namespace edge
