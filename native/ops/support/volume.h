// Convolutions of float32 volumes, [batch, depth, height, width, channels], as products over rows
// of pixels (kernels/gemm_f32). Plain or transposed, they consist of phases: output places that see
// the same cells of the filter.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "base/arena.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "ops/op.h"
#include "ops/support/quantize.h"

namespace edge {

// Output place first + i * step sees input place i * move + shift through a cell of the filter.
struct PhaseAxis {
  int first = 0, step = 1, count = 0;
  int move = 1;
  struct Cell {
    int index;  // in the filter, or -1: none of its cells is seen
    int64_t shift;
  };
  std::vector<Cell> cells;
};

// The phases along one axis. A transposed convolution is that which leads from `window.out` places
// back to `window.in`.
std::vector<PhaseAxis> plain_phases(const WindowAxis& window);
std::vector<PhaseAxis> transposed_phases(const WindowAxis& window);

struct VolumeSpec {
  size_t x = 0, w = 1, bias = 2;  // the node's inputs
  bool outputs_last = true;       // the filter is [cells][in][out], or else [cells][out][in]
  Activation activation = Activation::kNone;
  std::array<std::vector<PhaseAxis>, 3> axes;
};

struct Volume {
  struct Phase {
    std::array<PhaseAxis, 3> axes;
    bool sees() const {  // anything of the input
      return axes[0].cells[0].index >= 0 && axes[1].cells[0].index >= 0 &&
             axes[2].cells[0].index >= 0;
    }
    std::vector<std::array<int64_t, 3>> shifts;  // of each tap
    Arena packed;
    gemm_f32::Layer layer{};
    size_t block = 1;            // places that are computed at once
    size_t line = 0, lines = 0;  // places whose results are evenly apart, and how many such lines
  };
  std::vector<std::unique_ptr<Phase>> phases;
  size_t batches = 0, in_channels = 0, out_channels = 0;
  std::array<int64_t, 3> in{}, out{};
  std::vector<float> zeros;  // a pixel outside of the volume
};

// Types, ranks and biases of an op with these inputs.
Status check_volume(const OpView& op, size_t x, size_t w, size_t bias);
Status prepare_volume(PrepareContext& op, const VolumeSpec& spec, Volume* volume);
void run_volume(const EvalContext& run, const Volume& volume, size_t x);

}  // namespace edge
