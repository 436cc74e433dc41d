#include "runtime/chain.h"

#include <algorithm>
#include <cstring>

#include "base/arena.h"

namespace edge {
namespace {

// In multiply-accumulates of a product: what a step costs in each tile beside its work, one of a
// depthwise convolution, a byte that moves within a buffer, and one of weights that the cache does
// not hold from tile to tile.
constexpr double kStepEffort = 8000, kDepthwiseEffort = 8, kMoveEffort = 2, kLoadEffort = 8;

// An estimate within this factor of the best is as good, and the lower tile takes less memory.
constexpr double kAsGood = 1.02;

// Rows of a tile; beyond, nothing is gained.
constexpr int kMostRows = 1024;

struct Range {
  int first, last;
  bool empty() const { return first >= last; }
};

// The rows of the input that rows `out` of the output look at.
Range rows_seen(const WindowAxis& a, const Range& out) {
  const int64_t first = int64_t{out.first} * a.stride - a.before;
  const int64_t last = int64_t{out.last - 1} * a.stride - a.before + a.extent();
  return {static_cast<int>(std::clamp<int64_t>(first, 0, a.in)),
          static_cast<int>(std::clamp<int64_t>(last, 0, a.in))};
}

size_t row_bytes(const TensorSpec& picture) {
  return static_cast<size_t>(picture.shape[2]) * static_cast<size_t>(picture.shape[3]) *
         dtype_size(picture.dtype);
}

const TensorSpec& output_of(const Graph& graph, const Step& step) {
  return graph.values[static_cast<size_t>(step.outputs[0])].spec;
}

// Of each step's output, for `height` rows of the last one's: rows that are kept at most.
std::vector<int64_t> rows_kept(const Step* steps, size_t count, int height) {
  std::vector<int64_t> rows(count, height);
  for (size_t i = count - 1; i > 0; --i) {
    const WindowAxis& a = steps[i].rows.axis;
    rows[i - 1] = std::min<int64_t>((rows[i] - 1) * a.stride + a.extent(), a.in);
  }
  return rows;
}

size_t buffer_bytes(const TensorSpec& picture, int64_t rows) {
  return align_up(Bytes(static_cast<size_t>(rows)) * row_bytes(picture) + kOverread);
}

int64_t up_to(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

// Of the steps for each row of the last one's output, without what a tile costs beside its work.
double work(const Graph& graph, const Step* steps, size_t count, int height) {
  double sum = 0;
  int64_t rows = height;
  for (size_t i = count; i-- > 0;) {
    const Step& s = steps[i];
    const Shape& y = output_of(graph, s).shape;
    const int64_t width = static_cast<int64_t>(s.rows.width);
    const int64_t pixels = up_to(rows * width, static_cast<int64_t>(s.rows.together));
    const double macs = static_cast<double>(s.macs) / static_cast<double>(y.count(0, 3));
    const bool depthwise = s.rows.together % s.rows.width == 0;
    sum += static_cast<double>(pixels) * macs * (depthwise ? kDepthwiseEffort : 1);
    rows = std::min<int64_t>(rows * s.rows.axis.stride, s.rows.axis.in);
  }
  return sum / height;
}

struct Part {
  decltype(OpDef::eval_rows) eval_rows;
  std::shared_ptr<const void> state;
  WindowAxis axis;
  size_t out_row;  // bytes
  size_t buffer;   // of its output: where in the scratch memory; the last one's lies in the arena
};

struct Chain {
  std::vector<Part> parts;
  size_t pictures, in_picture;  // how many, and bytes of one of the input
  int height;                   // of a tile
  int overlap;                  // rows of the output whose work is done twice where threads meet
  size_t scratch = 0;           // where that of the parts begins
};

// Walks through rows of one picture from the top, on one thread.
class Walk {
 public:
  Walk(const Chain& chain, const uint8_t* input, uint8_t* scratch)
      : chain_(chain),
        input_{input, 0, chain.parts[0].axis.in},
        scratch_(scratch),
        fresh_(chain.parts.size()),
        held_(chain.parts.size(), Range{0, 0}) {}

  // The next rows of the chain's output.
  void compute(const Range& rows, uint8_t* out) {
    const std::vector<Part>& parts = chain_.parts;
    const size_t last = parts.size() - 1;
    fresh_[last] = rows;
    for (size_t i = last; i > 0; --i) {
      const Range seen = fresh_[i].empty() ? held_[i - 1] : rows_seen(parts[i].axis, fresh_[i]);
      drop_before(i - 1, seen.first);
      fresh_[i - 1] = {held_[i - 1].last, seen.last};
    }
    for (size_t i = 0; i <= last; ++i) {
      if (fresh_[i].empty()) continue;
      const Part& part = parts[i];
      const Rows in = i == 0 ? input_ : Rows{buffer(i - 1), held_[i - 1].first, held_[i - 1].last};
      uint8_t* to = out;
      if (i < last) {
        to = buffer(i) + static_cast<size_t>(fresh_[i].first - held_[i].first) * part.out_row;
        held_[i].last = fresh_[i].last;
      }
      part.eval_rows(part.state.get(), in, fresh_[i].first, fresh_[i].last, to,
                     scratch_ + chain_.scratch);
    }
  }

 private:
  uint8_t* buffer(size_t i) const { return scratch_ + chain_.parts[i].buffer; }

  void drop_before(size_t i, int row) {
    Range& held = held_[i];
    if (held.last <= row) {
      held = {row, row};
    } else if (held.first < row) {
      const size_t bytes = chain_.parts[i].out_row;
      std::memmove(buffer(i), buffer(i) + static_cast<size_t>(row - held.first) * bytes,
                   static_cast<size_t>(held.last - row) * bytes);
      held.first = row;
    }
  }

  const Chain& chain_;
  const Rows input_;
  uint8_t* scratch_;
  std::vector<Range> fresh_;  // rows that a part computes next
  std::vector<Range> held_;   // rows of its output that lie in its buffer
};

// Pieces of a picture for so many threads: several for each if they are high enough for the work
// that is done twice not to matter.
int pieces(const Chain& chain, int threads) {
  const int height = chain.parts.back().axis.out;
  if (threads == 1) return 1;
  const int worthwhile = height / (threads * std::max(8 * chain.overlap, 1));
  return std::min(height, threads * std::clamp(worthwhile, 1, 4));
}

void eval(const EvalContext& run) {
  const Chain& chain = run.state<Chain>();
  const Part& last = chain.parts.back();
  const int height = last.axis.out, wanted = pieces(chain, run.pool().threads());
  const int rows = (height + wanted - 1) / wanted;
  const size_t count = static_cast<size_t>((height + rows - 1) / rows);
  run.pool().run(chain.pictures * count, [&](size_t task, int worker) {
    const size_t picture = task / count;
    const int first = static_cast<int>(task % count) * rows, end = std::min(height, first + rows);
    Walk walk(chain, run.in<uint8_t>(0) + picture * chain.in_picture, run.scratch(worker));
    uint8_t* out = run.out<uint8_t>(0) + picture * static_cast<size_t>(height) * last.out_row;
    for (int y = first; y < end; y += chain.height) {
      walk.compute({y, std::min(end, y + chain.height)},
                   out + static_cast<size_t>(y) * last.out_row);
    }
  });
}

const OpDef kChain{nullptr, nullptr, nullptr, eval};

}  // namespace

bool can_follow(const Graph& graph, const Step& first, const Step& second) {
  if (!first.def->eval_rows || !second.def->eval_rows || first.open || second.open) return false;
  if (first.rows.width == 0 || second.rows.width == 0) return false;
  if (first.outputs[0] != second.inputs[0]) return false;
  return output_of(graph, first).shape.count() > 0 && output_of(graph, second).shape.count() > 0;
}

int overlap(const Step* steps, size_t count) {
  int64_t rows = 0, stride = 1;  // rows of a step's input, and how many there are for one of output
  for (size_t i = count - 1; i > 0; --i) {
    const WindowAxis& a = steps[i].rows.axis;
    rows = std::min<int64_t>(rows * a.stride + a.shared(), a.in);
    stride = std::min<int64_t>(stride * a.stride, INT32_MAX);
  }
  return static_cast<int>((rows + stride - 1) / stride);
}

Tiling tile(const Graph& graph, const Step* steps, size_t count, size_t tile_bytes) {
  size_t weights = 0;
  for (size_t i = 0; i < count; ++i) weights += steps[i].packed_bytes;
  const double reload = weights > tile_bytes ? kLoadEffort * static_cast<double>(weights) : 0;
  const double per_tile = kStepEffort * static_cast<double>(count) + reload;
  const int most = std::min(steps[count - 1].rows.axis.out, kMostRows);
  const double whole = std::max(work(graph, steps, count, most), 1.0);
  std::vector<Tiling> tried;
  double best = 0;
  for (int height = 1; height <= most; ++height) {
    const std::vector<int64_t> rows = rows_kept(steps, count, height);
    size_t buffers = 0, moved = 0;
    for (size_t i = 0; i + 1 < count; ++i) {
      const TensorSpec& y = output_of(graph, steps[i]);
      buffers = (Bytes(buffers) + buffer_bytes(y, rows[i])).count();
      moved += static_cast<size_t>(steps[i + 1].rows.axis.shared()) * row_bytes(y);
    }
    if (height > 1 && buffers > tile_bytes) break;
    const double beside = per_tile + kMoveEffort * static_cast<double>(moved);
    const double effort = (work(graph, steps, count, height) + beside / height) / whole;
    if (height == 1 || effort < best) best = effort;
    tried.push_back({height, buffers, effort});
  }
  return *std::find_if(tried.begin(), tried.end(),
                       [&](const Tiling& t) { return t.effort <= best * kAsGood; });
}

Step make_chain(const Graph& graph, std::vector<Step> parts, int height) {
  auto chain = std::make_shared<Chain>();
  Step step;
  const TensorSpec& in = graph.values[static_cast<size_t>(parts[0].inputs[0])].spec;
  chain->pictures = static_cast<size_t>(in.shape[0]);
  chain->in_picture = static_cast<size_t>(in.shape[1]) * row_bytes(in);
  chain->height = height;
  chain->overlap = overlap(parts.data(), parts.size());
  const std::vector<int64_t> rows = rows_kept(parts.data(), parts.size(), height);
  for (size_t i = 0; i < parts.size(); ++i) {
    const Step& p = parts[i];
    const TensorSpec& y = output_of(graph, p);
    chain->parts.push_back({p.def->eval_rows, p.state, p.rows.axis, row_bytes(y), chain->scratch});
    if (i + 1 < parts.size()) {
      chain->scratch = (Bytes(chain->scratch) + buffer_bytes(y, rows[i])).count();
    }
    const char* plus = i ? "+" : "";
    step.op += plus + p.op;
    step.kernel += plus + p.kernel;
    step.nodes.insert(step.nodes.end(), p.nodes.begin(), p.nodes.end());
    step.inputs.insert(step.inputs.end(), p.inputs.begin() + (i ? 1 : 0), p.inputs.end());
    step.scratch_per_worker = std::max(step.scratch_per_worker, p.scratch_per_worker);
    step.packed_bytes += p.packed_bytes;
    step.macs += p.macs;
  }
  step.def = &kChain;
  step.outputs = parts.back().outputs;
  step.scratch_per_worker = (Bytes(step.scratch_per_worker) + chain->scratch).count();
  step.state = std::move(chain);
  step.parts = std::move(parts);
  return step;
}

Access access(const Step& first, const Step& last) {
  const OpDef& def = *first.def;
  return {first.inputs, last.outputs, def.alias && !first.open, def.in_place && !first.open,
          first.pieces};
}

std::vector<Access> accesses(const std::vector<Step>& steps) {
  std::vector<Access> all;
  for (const Step& s : steps) all.push_back(access(s, s));
  return all;
}

}  // namespace edge
