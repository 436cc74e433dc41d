// .tflite files (schema version 3) -> Model. The only code that knows the file format.
#pragma once

#include <memory>
#include <string>

#include "graph/graph.h"

namespace edge {

// Maps the file, verifies and reads it. Errors: kInvalidArgument (cannot be opened), kInvalidModel
// (with the byte, tensor or op), kUnsupported (an element type that this build does not know).
Result<std::shared_ptr<const Model>> read_file(const std::string& path);

// The same from memory; the bytes are copied.
Result<std::shared_ptr<const Model>> read_bytes(Span<const uint8_t> bytes);

}  // namespace edge
