// CUSTOM:SignalFilterBank: the energies of bins added up to channels, triangles that overlap by
// half. Inputs: energies, weights, 1 - weights, and for each of num_channels + 1 sides of triangles
// its first bin, first weight and width. A side's bins count by their weights for its own channel,
// which ends there, and by the rest for the next.
#include <algorithm>
#include <cstring>

#include "ops/support/signal.h"

namespace edge {
namespace {

struct Side {
  int64_t bin, weight, width;
};

struct State {
  std::vector<Side> sides;
};

Status check(const OpView& op) {
  constexpr DType i16 = DType::kInt16;
  EDGE_TRY(check_signal(op, {DType::kUInt32, i16, i16, i16, i16, i16}, {DType::kUInt64}));
  for (size_t i = 3; i < 6; ++i) {
    if (!op.in(i).constant) return unsupported(format("its input %zu is no constant", i));
  }
  int32_t unused;
  return read_option(op.node(), "num_channels", 1, INT16_MAX, &unused);
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  int32_t channels;
  EDGE_TRY(read_option(op.node(), "num_channels", 1, INT16_MAX, &channels));
  for (size_t i = 0; i < 6; ++i) {
    const Shape& x = op.in(i).spec.shape;
    if (x.rank() != 1 || (i >= 3 && x[0] <= channels)) {
      return invalid_model(
          format("its input %zu is %s for %d channels", i, to_string(x).c_str(), channels));
    }
  }
  (*shapes)[0] = {channels};
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  const int64_t bins = op.in(0).spec.shape[0];
  const int64_t weights = std::min(op.in(1).spec.shape[0], op.in(2).spec.shape[0]);
  const auto at = [&](size_t input, int32_t i) {
    int16_t v;
    std::memcpy(&v, op.in(input).data.data() + 2 * i, sizeof v);
    return int64_t{v};
  };
  for (int32_t i = 0; i <= op.out(0).spec.shape[0]; ++i) {
    const Side side{at(3, i), at(4, i), at(5, i)};
    if (side.bin < 0 || side.weight < 0 || side.width < 0 || side.bin + side.width > bins ||
        side.weight + side.width > weights) {
      return invalid_model(format("the bins or weights of channel %d lie outside", i));
    }
    s.sides.push_back(side);
  }
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const uint32_t* energy = run.in<uint32_t>(0);
  const int16_t *weights = run.in<int16_t>(1), *rests = run.in<int16_t>(2);
  uint64_t* y = run.out<uint64_t>(0);
  const auto product = [](int16_t weight, uint32_t e) {
    return static_cast<uint64_t>(int64_t{weight}) * e;
  };
  uint64_t carried = 0;
  for (size_t i = 0; i < s.sides.size(); ++i) {
    const Side& side = s.sides[i];
    uint64_t own = carried;
    carried = 0;
    for (int64_t k = 0; k < side.width; ++k) {
      own += product(weights[side.weight + k], energy[side.bin + k]);
      carried += product(rests[side.weight + k], energy[side.bin + k]);
    }
    if (i > 0) y[i - 1] = own;  // the first side falls off before the first channel
  }
}

}  // namespace

extern const OpDef op_signal_filter_bank{check, infer, prepare, eval};

}  // namespace edge
