#include "reader/attributes.h"

namespace edge {
namespace {

Status read(const Table& t, int slot, int8_t* out) {
  *out = t.scalar<int8_t>(slot, *out);
  return {};
}
Status read(const Table& t, int slot, int32_t* out) {
  *out = t.scalar<int32_t>(slot, *out);
  return {};
}
Status read(const Table& t, int slot, int64_t* out) {
  *out = t.scalar<int64_t>(slot, *out);
  return {};
}
Status read(const Table& t, int slot, float* out) {
  *out = t.scalar<float>(slot, *out);
  return {};
}
Status read(const Table& t, int slot, bool* out) {
  *out = t.scalar<uint8_t>(slot, *out) != 0;
  return {};
}
Status read(const Table& t, int slot, std::string* out) {
  *out = t.string(slot);
  return {};
}
Status read(const Table& t, int slot, Padding* out) {
  const int8_t v = t.scalar<int8_t>(slot, static_cast<int8_t>(*out));
  if (v < 0 || v > 1)
    return invalid_model(format("padding %d is neither SAME (0) nor VALID (1)", v));
  *out = static_cast<Padding>(v);
  return {};
}
Status read(const Table& t, int slot, Activation* out) {
  const int8_t v = t.scalar<int8_t>(slot, static_cast<int8_t>(*out));
  if (v < 0 || v > 5) return invalid_model(format("fused activation %d is unknown", v));
  *out = static_cast<Activation>(v);
  return {};
}
Status read(const Table& t, int slot, DType* out) {
  const int8_t v = t.scalar<int8_t>(slot, static_cast<int8_t>(*out));
  if (v < 0 || v >= kDTypeCount) return invalid_model(format("type %d is unknown", v));
  *out = static_cast<DType>(v);
  return {};
}
template <typename T>
Status read(const Table& t, int slot, std::vector<T>* out) {
  const Vector<T> v = t.vector<T>(slot);
  out->resize(v.size());
  for (size_t i = 0; i < v.size(); ++i) (*out)[i] = v[i];
  return {};
}

}  // namespace

Status read_attributes(int number, const Table& options, Attributes* out) {
  switch (number) {
#define EDGE_FIELD(slot, type, name, value) EDGE_TRY(read(options, slot, &a.name));
#define EDGE_ATTRIBUTES(Name, tag, fields) \
  case tag: {                              \
    Name##Attributes a;                    \
    fields;                                \
    *out = std::move(a);                   \
    return {};                             \
  }
#include "graph/attributes.inc"
#undef EDGE_ATTRIBUTES
#undef EDGE_FIELD
    default:
      *out = std::monostate();
      return {};
  }
}

}  // namespace edge
