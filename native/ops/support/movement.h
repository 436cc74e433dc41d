// What ops that only move bytes share: their checks, and the eval of those with one input and one
// output.
#pragma once

#include "ops/op.h"
#include "ops/support/strided_copy.h"

namespace edge {

// Input i is dense and its elements have a fixed size, or are strings where the op moves these;
// which type they are is all the same.
Status expect_movable(const OpView& op, size_t i, bool strings = false);

// Codes that are moved mean the same on both sides: one scale and one zero point.
Status expect_same_codes(const Value& from, const Value& to);

// A node of one data input and one output of its type, `inputs` in all; the others are integers
// that decide what goes where.
Status check_movement(const OpView& op, size_t inputs, bool strings = false);

// Bytes of what a StridedCopy moves for each element: of strings, their numbers.
size_t moved_size(DType type);
// eval_copy runs the copy that prepare_copy made its state of, from that input to output 0.
Status prepare_copy(PrepareContext& op, const StridedCopy& copy, size_t input = 0);
void eval_copy(const EvalContext& run);

// For ops whose output has the bytes of input 0 under another shape.
Status prepare_same_bytes(PrepareContext& op);
void eval_same_bytes(const EvalContext& run);

// Appends an extent that was computed in 64 bits.
Status append_extent(int64_t extent, Shape* shape);

}  // namespace edge
