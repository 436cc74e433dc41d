// What the ops of TensorFlow Lite Micro's audio front end share.
#pragma once

#include "ops/op.h"
#include "ops/support/options.h"

namespace edge {

// Number of the highest bit that is set, counted from 1; 32 for 0, as the front end's own has it.
inline int32_t highest_bit(uint32_t x) { return x ? 32 - __builtin_clz(x) : 32; }

// The whole number under `key` of a node's options.
inline Status read_option(const Node& node, const char* key, int32_t low, int32_t high,
                          int32_t* out) {
  EDGE_ASSIGN(const FlexMap map, FlexMap::parse(node.custom_options));
  return read_integer(map, key, low, high, out);
}

// Inputs and outputs in number and type, none of them left out.
inline Status check_signal(const OpView& op, std::initializer_list<DType> inputs,
                           std::initializer_list<DType> outputs) {
  EDGE_TRY(op.expect_arity(inputs.size(), inputs.size(), outputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i) EDGE_TRY(op.expect_input(i, {inputs.begin()[i]}));
  for (size_t i = 0; i < outputs.size(); ++i) EDGE_TRY(op.expect_output(i, {outputs.begin()[i]}));
  return {};
}

// A list of channels as input 0, and outputs like it.
inline Status infer_channels(const OpView& op, std::vector<Shape>* shapes) {
  const Shape& x = op.in(0).spec.shape;
  if (x.rank() != 1) return invalid_model(format("channels %s", to_string(x).c_str()));
  for (Shape& y : *shapes) y = x;
  return {};
}

}  // namespace edge
