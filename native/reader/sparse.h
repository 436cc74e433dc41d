// Constants in the format's sparse encoding.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/types.h"
#include "reader/flatbuffer.h"

namespace edge {

// The dense bytes of a constant whose SparsityParameters table and stored bytes are given. Trusts
// none of them: sizes, indices and orders that do not fit each other are kInvalidModel.
Status densify(const Table& sparsity, const TensorSpec& spec, Span<const uint8_t> stored,
               std::vector<uint8_t>* dense);

}  // namespace edge
