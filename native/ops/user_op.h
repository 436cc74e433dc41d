// Custom operators that the program brings, by the name that model files give them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ops/op.h"

namespace edge {

// A node of a user's op, as it is known once shapes are final.
struct UserNode {
  std::string name;  // of the op
  std::vector<TensorSpec> inputs, outputs;
  Span<const uint8_t> options;  // the bytes that the file gives the node
};

struct UserOp {
  // Computes the outputs (run.out<T>(i)) from the inputs (run.in<T>(i), nullptr where one is left
  // out). Called by the session's own thread, by several sessions at once.
  std::function<Status(const UserNode& node, const EvalContext& run)> run;
  // The outputs' shapes and types from the inputs'. Where there is none, the file's count.
  std::function<Status(const UserNode& node, std::vector<Shape>* shapes, std::vector<DType>* types)>
      infer;
};

// Plans that are built from now on run the custom ops of that name with `op`, even where this
// library has one of its own. Takes the place of an earlier registration; plans keep theirs.
// Thread-safe.
Status register_user_op(const std::string& name, UserOp op);

// False where there was none.
bool unregister_user_op(const std::string& name);

// nullptr where none is registered.
const OpDef* find_user_op(const std::string& name);

}  // namespace edge
