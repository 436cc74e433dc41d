// What the options of custom ops have in common: numbers under a name, and structs of numbers.
#pragma once

#include "graph/graph.h"
#include "ops/support/flexbuffer.h"

namespace edge {

// The number under `key`; kInvalidModel where there is none.
Status read_float(const FlexMap& map, const char* key, float* out);

// The whole number under `key`, within [low, high]; kInvalidModel where there is none.
Status read_integer(const FlexMap& map, const char* key, int32_t low, int32_t high, int32_t* out);

// As read_integer, but leaves `*out` as it is where there is none.
Status read_optional(const FlexMap& map, const char* key, int32_t low, int32_t high, int32_t* out);

// The struct that TFLite keeps of a pooling's options, stored as it lies in memory: padding
// (1 same, 2 valid), strides and filter as width and height, activation, each an int32.
Result<Pool2DAttributes> read_pool(Span<const uint8_t> options);

}  // namespace edge
