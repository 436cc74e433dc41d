#include "ops/support/parts.h"

namespace edge {
namespace {

Copies copies_of(const Parts& parts, bool join) {
  int64_t row = 0;
  for (int64_t bytes : parts.bytes) row += bytes;
  Copies copies;
  int64_t offset = 0;
  for (int64_t bytes : parts.bytes) {
    StridedCopy copy(static_cast<size_t>(bytes));
    copy.add(join ? CopyAxis{parts.outer, bytes, row} : CopyAxis{parts.outer, row, bytes});
    copy.set_offsets(join ? 0 : offset, join ? offset : 0);
    copies.push_back(copy.simplified());
    offset += bytes;
  }
  return copies;
}

}  // namespace

Parts make_parts(const Shape& whole, int axis, const std::vector<int64_t>& counts, size_t element) {
  Parts parts;
  if (whole.count() == 0) {
    parts.bytes.assign(counts.size(), 0);
    return parts;
  }
  parts.outer = whole.count(0, axis);
  const int64_t inner = whole.count(axis + 1, whole.rank()) * static_cast<int64_t>(element);
  for (int64_t count : counts) parts.bytes.push_back(count * inner);
  return parts;
}

Copies joining(const Parts& parts) { return copies_of(parts, true); }
Copies splitting(const Parts& parts) { return copies_of(parts, false); }

}  // namespace edge
