#include "ops/resources.h"

#include <cstring>

namespace edge {

int32_t resource_number(const uint8_t* data) {
  int32_t number;
  std::memcpy(&number, data, 4);
  return number;
}

int32_t Resources::variable(const std::string& container, const std::string& name) {
  const auto [found, is_new] =
      names_.try_emplace({container, name}, static_cast<int32_t>(variables_.size()));
  if (is_new) variables_.emplace_back();
  return found->second;
}

int32_t Resources::table(int32_t id, DType key, DType value) {
  HashTable& table = tables_[id];
  if (!table.imported) {
    table.key = key;
    table.value = value;
  }
  return id;
}

Variable* Resources::find_variable(int32_t number) {
  if (number < 0 || static_cast<size_t>(number) >= variables_.size()) return nullptr;
  return &variables_[static_cast<size_t>(number)];
}

const Variable* Resources::find_variable(int32_t number) const {
  return const_cast<Resources*>(this)->find_variable(number);
}

HashTable* Resources::find_table(int32_t number) {
  const auto found = tables_.find(number);
  return found == tables_.end() ? nullptr : &found->second;
}

void Resources::clear_variables() {
  for (Variable& v : variables_) v = {};
  bytes_ = 0;
}

Result<uint8_t*> Resources::assign(Variable* variable, const TensorSpec& spec) {
  EDGE_ASSIGN(const size_t bytes, byte_size(spec.dtype, spec.shape));
  if (!variable->bytes.data() || variable->bytes.size() < bytes) {
    bytes_ -= variable->bytes.size();
    variable->bytes = Arena(bytes);
    variable->assigned = false;
    if (!variable->bytes.data()) return Status(Code::kResource, "no memory for a variable");
    bytes_ += bytes;
  }
  variable->assigned = true;
  variable->dtype = spec.dtype;
  variable->shape = spec.shape;
  return variable->bytes.data();
}

}  // namespace edge
