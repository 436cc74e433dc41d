// What outlives a run: resource variables and hash tables, which the ops of all graphs of a session
// find by number. Not for several threads at once.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "ops/op.h"

namespace edge {

struct Variable {
  bool assigned = false;
  DType dtype = DType::kFloat32;
  Shape shape;
  Arena bytes;  // at least as many as the shape takes
};

struct HashTable {
  DType key = DType::kInt64, value = DType::kString;
  bool imported = false;
  std::map<int64_t, std::string> strings;
  std::map<std::string, int64_t> numbers;
  size_t size() const { return strings.size() + numbers.size(); }
};

class Resources {
 public:
  // The number of what has this name, from now on.
  int32_t variable(const std::string& container, const std::string& name);
  int32_t table(int32_t id, DType key, DType value);
  // nullptr where there is no such number.
  Variable* find_variable(int32_t number);
  const Variable* find_variable(int32_t number) const;
  HashTable* find_table(int32_t number);

  // Variables without a value.
  void clear_variables();
  size_t bytes() const { return bytes_; }
  // Gives a variable a value of that type and shape, whose bytes the caller writes.
  Result<uint8_t*> assign(Variable* variable, const TensorSpec& spec);

 private:
  std::map<std::pair<std::string, std::string>, int32_t> names_;
  std::vector<Variable> variables_;
  std::map<int32_t, HashTable> tables_;
  size_t bytes_ = 0;  // of all variables
};

// The number in a resource tensor.
int32_t resource_number(const uint8_t* data);

}  // namespace edge
