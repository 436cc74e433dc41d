// Softmax over the last dimension.
//
//   out[j] = exp(beta * x[j]) / sum_k exp(beta * x[k])
//
// For 8-bit types TFLite computes this in gemmlowp's fixed point, with the output's scale fixed at
// 1/256 (of int16 outputs at 1/65536, less 32768). The exponential depends on x[j] - max alone, of
// which there are 256, so it is a table.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/cpu.h"
#include "kernels/requantize/requantize.h"

namespace edge::softmax {

struct Table {
  int32_t exp[256];  // exp[d] = exp(-d * scale * beta) as Q0.31
  int32_t reach;     // differences beyond this count as exp = 0
};

void make_table(float scale, float beta, Table* table);

struct Args {
  size_t rows;
  size_t depth;
  const void* x;       // [rows][depth], int8, uint8 or float
  void* out;           // the same type (but for kI8ToI16) and shape; may be x
  const Table* table;  // 8-bit types
  float beta;          // float
};

enum class Op { kI8, kU8, kI8ToI16, kF32 };

using Run = void (*)(const Args& args);

struct Kernel {
  const char* name;
  Features needs;
  Op op;
  Run run;
};

#define SOFTMAX(name, needs, op) void name(const Args& args);
#include "kernels/softmax/kernels.inc"
#undef SOFTMAX

const Kernel& select(Features features, Op op);
const Kernel* kernels(size_t* count);

}  // namespace edge::softmax
