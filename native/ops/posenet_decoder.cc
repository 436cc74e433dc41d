// CUSTOM:PosenetDecoderOp: the poses of people out of PoseNet's outputs.
//
// Inputs: heat maps [1, h, w, 17] of log-odds, short offsets [1, h, w, 34] and mid offsets
// [1, h, w, 64] in pixels; where masks are wanted long offsets [1, h, w, 34] too. Outputs, all
// float32: key points [1, n, 17, 2] as (y, x) in pixels, their scores [1, n, 17], the poses' scores
// [1, n], how many there are [1], and masks [1, n, h, w] that say whose pose a cell belongs to.
// What lies behind the poses that were found is 0.
#include <algorithm>
#include <cmath>

#include "base/arena.h"
#include "ops/op.h"
#include "ops/support/options.h"
#include "ops/support/poses.h"

namespace edge {
namespace {

constexpr int kLongRefinements = 2;

struct Options {
  PoseOptions poses;
  int32_t stride = 0;  // pixels a cell
};

struct State {
  Options options;
  Field fields[4];  // without data; the last where masks are wanted
  bool masks = false;
};

Result<Options> read_options(const Node& node) {
  EDGE_ASSIGN(const FlexMap map, FlexMap::parse(node.custom_options));
  Options o;
  EDGE_TRY(read_integer(map, "max_detections", 1, INT32_MAX, &o.poses.max_poses));
  EDGE_TRY(read_integer(map, "stride", 1, 1 << 16, &o.stride));
  EDGE_TRY(read_float(map, "score_threshold", &o.poses.least_score));
  EDGE_TRY(read_float(map, "nms_radius", &o.poses.radius));
  o.poses.radius /= static_cast<float>(o.stride);
  return o;
}

Status check(const OpView& op) {
  const bool masks = op.input_count() == 4;
  EDGE_TRY(op.expect_arity(masks ? 4 : 3, 4, masks ? 5 : 4));
  for (size_t i = 0; i < op.input_count(); ++i) {
    EDGE_TRY(op.expect_input(i, {DType::kFloat32, DType::kUInt8, DType::kInt8}));
    EDGE_TRY(op.expect_quantized(op.in(i)));
  }
  return read_options(op.node()).status();
}

// The outputs are float32 whatever the file says.
Status infer(const OpView& op, std::vector<Shape>* shapes, std::vector<DType>* types) {
  EDGE_ASSIGN(const Options o, read_options(op.node()));
  constexpr int32_t kChannels[] = {kKeypoints, 2 * kKeypoints, 4 * kEdges, 2 * kKeypoints};
  const Shape& heat = op.in(0).spec.shape;
  for (size_t i = 0; i < op.input_count(); ++i) {
    const Shape& s = op.in(i).spec.shape;
    const bool fits = s.rank() == 4 && s[0] == 1 && s[1] > 0 && s[2] > 0 && s[1] == heat[1] &&
                      s[2] == heat[2] && s[3] == kChannels[i];
    if (fits) continue;
    return invalid_model(format("its input %zu is %s, its heat maps are %s", i,
                                to_string(s).c_str(), to_string(heat).c_str()));
  }
  const int32_t n = o.poses.max_poses;
  *shapes = {{1, n, kKeypoints, 2}, {1, n, kKeypoints}, {1, n}, {1}};
  if (op.input_count() == 4) shapes->push_back({1, n, heat[1], heat[2]});
  std::fill(types->begin(), types->end(), DType::kFloat32);
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.options, read_options(op.node()));
  s.masks = op.input_count() == 4;
  for (size_t i = 0; i < op.input_count(); ++i) {
    const TensorSpec& spec = op.in(i).spec;
    const float factor = i == 0 ? 1.f : 1.f / static_cast<float>(s.options.stride);
    s.fields[i] = {numbers_of(spec, factor), nullptr, spec.shape[1], spec.shape[2], spec.shape[3]};
  }
  const size_t n = static_cast<size_t>(s.options.poses.max_poses);
  const Bytes roots = Bytes(static_cast<size_t>(op.in(0).spec.shape.count())) * sizeof(Candidate);
  const Bytes poses = Bytes(n) * (sizeof(Pose) + sizeof(float) + sizeof(int32_t));
  op.scratch_per_worker = (roots + poses).count();
  return {};
}

// Each cell says where all key points of its person are; it belongs to the pose that is nearest.
void draw_masks(const Field& longs, const float* points, int32_t poses, int32_t stride,
                ThreadPool& pool, float* masks) {
  const float pixels = static_cast<float>(stride);
  pool.run(static_cast<size_t>(longs.rows), [&](size_t row, int) {
    const int32_t y = static_cast<int32_t>(row);
    for (int32_t x = 0; x < longs.columns; ++x) {
      Point own[kKeypoints];
      for (int k = 0; k < kKeypoints; ++k) {
        own[k] = {static_cast<float>(y), static_cast<float>(x)};
        for (int i = 0; i <= kLongRefinements; ++i) {
          own[k] = longs.follow(own[k], k, kKeypoints + k);
        }
      }
      int32_t nearest = 0;
      float least = INFINITY;
      for (int32_t p = 0; p < poses; ++p) {
        float sum = 0;
        for (int k = 0; k < kKeypoints; ++k) {
          const float* point = points + (p * kKeypoints + k) * 2;
          const float dy = point[0] - own[k].y * pixels, dx = point[1] - own[k].x * pixels;
          sum += dy * dy + dx * dx;
        }
        if (sum < least) nearest = p;
        least = std::min(sum, least);
      }
      masks[(int64_t{nearest} * longs.rows + y) * longs.columns + x] = 1;
    }
  });
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const int32_t n = s.options.poses.max_poses;
  Field fields[4];
  for (size_t i = 0; i < (s.masks ? 4 : 3); ++i) {
    fields[i] = s.fields[i];
    fields[i].data = run.in<uint8_t>(i);
  }
  const int64_t cells = int64_t{fields[0].rows} * fields[0].columns;
  PoseWork work;
  work.roots = reinterpret_cast<Candidate*>(run.scratch(0));
  work.poses = reinterpret_cast<Pose*>(work.roots + cells * kKeypoints);
  work.scores = reinterpret_cast<float*>(work.poses + n);
  work.order = reinterpret_cast<int32_t*>(work.scores + n);
  const int32_t found = decode_poses(s.options.poses, fields[0], fields[1], fields[2], work);

  float* points = run.out<float>(0);
  std::fill_n(points, int64_t{n} * kKeypoints * 2, 0.f);
  std::fill_n(run.out<float>(1), int64_t{n} * kKeypoints, 0.f);
  std::fill_n(run.out<float>(2), n, 0.f);
  *run.out<float>(3) = static_cast<float>(found);
  const float stride = static_cast<float>(s.options.stride);
  for (int64_t i = 0; i < found; ++i) {
    const Pose& pose = work.poses[work.order[i]];
    for (int k = 0; k < kKeypoints; ++k) {
      points[(i * kKeypoints + k) * 2] = pose.points[k].y * stride;
      points[(i * kKeypoints + k) * 2 + 1] = pose.points[k].x * stride;
      run.out<float>(1)[i * kKeypoints + k] = pose.scores[k];
    }
    run.out<float>(2)[i] = pose.score;
  }
  if (!s.masks) return;
  std::fill_n(run.out<float>(4), n * cells, 0.f);
  if (found > 0) {
    draw_masks(fields[3], points, found, s.options.stride, run.pool(), run.out<float>(4));
  }
}

constexpr OpDef make_def() {
  OpDef def{check, nullptr, prepare, eval};
  def.infer_typed = infer;
  return def;
}

}  // namespace

extern const OpDef op_posenet_decoder = make_def();

}  // namespace edge
