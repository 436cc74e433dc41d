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

// Gives back the memory of a mapped file's pages; what is read again comes from the file. For when
// weights are packed. Does nothing for models from memory.
void drop_pages(const Model& model);

}  // namespace edge
