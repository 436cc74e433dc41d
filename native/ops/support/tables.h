// What ops on hash tables share. A table leads from int64 to strings or from strings to int64.
#pragma once

#include "ops/resources.h"
#include "ops/support/strings.h"

namespace edge {

Status expect_table_types(DType key, DType value);

// The state of an op on a table: its keys' and values' types, and how many keys it is given.
struct TableUse {
  DType key = DType::kResource, value = DType::kResource;  // kResource: whatever they are
  int64_t count = 0;
};
// Where the op has keys and values; both 0, which is the table, where it has none.
Status prepare_table(PrepareContext& op, size_t keys, size_t values);

// The table of input 0; nullptr, and the run fails, where there is none of these types.
HashTable* table_of(const EvalContext& run);

}  // namespace edge
