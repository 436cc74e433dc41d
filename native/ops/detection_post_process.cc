// CUSTOM:TFLite_Detection_PostProcess: the boxes of an SSD detector out of its raw outputs.
//
// Inputs: encodings [1, n, >= 4] as (y, x, h, w), scores [1, n, classes (+ 1 background in front)],
// anchors [n, 4] as centre y, x and height, width. A box lies around
//   anchor.yx + encoding.yx / scale.yx * anchor.hw and measures exp(encoding.hw / scale.hw) *
//   anchor.hw
// (the box coding of the TensorFlow Object Detection API). Outputs: boxes [1, m, 4] as (ymin, xmin,
// ymax, xmax), classes [1, m], scores [1, m] and the number of detections [1], all float32; what
// lies behind the detections is 0. m = max_detections * max_classes_per_detection.
//
// "Fast" suppression goes over each box's best class once, "regular" over all boxes of each class.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "base/arena.h"
#include "ops/op.h"
#include "ops/support/nms.h"
#include "ops/support/numbers.h"
#include "ops/support/options.h"

namespace edge {
namespace {

constexpr int32_t kDefaultPerClass = 100;

struct Options {
  int32_t max_detections = 0, max_classes = 0, per_class = kDefaultPerClass, classes = 0;
  bool regular = false;
  float least_score = 0, most_overlap = 0;
  float y_scale = 0, x_scale = 0, h_scale = 0, w_scale = 0;
};

struct Detection {
  float score;
  int32_t box, category;
};

struct State {
  Options options;
  Numbers encodings, scores, anchors;
  int32_t boxes = 0;
  int64_t encoding_size = 0, columns = 0, background = 0;
  bool sound = false;  // no anchor has a negative extent: then no box has its edges the wrong way
  int32_t slots = 0;   // of the output
  int32_t limit = 0;   // boxes that one suppression keeps at most
};

Result<Options> read_options(const Node& node) {
  EDGE_ASSIGN(const FlexMap map, FlexMap::parse(node.custom_options));
  Options o;
  EDGE_TRY(read_integer(map, "max_detections", 1, INT32_MAX, &o.max_detections));
  EDGE_TRY(read_integer(map, "max_classes_per_detection", 1, INT32_MAX, &o.max_classes));
  EDGE_TRY(read_integer(map, "num_classes", 1, INT32_MAX, &o.classes));
  EDGE_TRY(read_optional(map, "detections_per_class", 1, INT32_MAX, &o.per_class));
  EDGE_ASSIGN(const std::optional<double> regular, map.number("use_regular_nms"));
  o.regular = regular.value_or(0) != 0;
  EDGE_TRY(read_float(map, "nms_score_threshold", &o.least_score));
  EDGE_TRY(read_float(map, "nms_iou_threshold", &o.most_overlap));
  EDGE_TRY(read_float(map, "y_scale", &o.y_scale));
  EDGE_TRY(read_float(map, "x_scale", &o.x_scale));
  EDGE_TRY(read_float(map, "h_scale", &o.h_scale));
  EDGE_TRY(read_float(map, "w_scale", &o.w_scale));
  if (!(o.most_overlap > 0 && o.most_overlap <= 1)) {
    return invalid_model(
        format("nms_iou_threshold %g is not within (0, 1]", static_cast<double>(o.most_overlap)));
  }
  return o;
}

Status check(const OpView& op) {
  EDGE_TRY(op.expect_arity(3, 3, 4));
  EDGE_TRY(op.expect_input(0, {DType::kFloat32, DType::kUInt8, DType::kInt8}));
  EDGE_TRY(op.expect_input(1, {DType::kFloat32, DType::kUInt8, DType::kInt8}));
  EDGE_TRY(op.expect_input(2, {op.in(0).spec.dtype}));
  for (size_t i = 0; i < 3; ++i) EDGE_TRY(op.expect_quantized(op.in(i)));
  for (size_t i = 0; i < 4; ++i) EDGE_TRY(op.expect_output(i, {DType::kFloat32}));
  return read_options(op.node()).status();
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  EDGE_ASSIGN(const Options o, read_options(op.node()));
  const Shape &encodings = op.in(0).spec.shape, &scores = op.in(1).spec.shape;
  const Shape& anchors = op.in(2).spec.shape;
  const bool fits = encodings.rank() == 3 && scores.rank() == 3 && anchors.rank() == 2 &&
                    encodings[0] == 1 && scores[0] == 1 && encodings[1] == scores[1] &&
                    anchors[0] >= encodings[1] && encodings[2] >= 4 && anchors[1] == 4 &&
                    (scores[2] == o.classes || scores[2] - 1 == o.classes);
  if (!fits) {
    return invalid_model(format("encodings %s, scores %s and anchors %s of %d classes",
                                to_string(encodings).c_str(), to_string(scores).c_str(),
                                to_string(anchors).c_str(), o.classes));
  }
  const int64_t slots = int64_t{o.max_detections} * o.max_classes;
  if (slots > INT32_MAX) return invalid_model(format("%lld boxes", static_cast<long long>(slots)));
  const int32_t m = static_cast<int32_t>(slots);
  *shapes = {{1, m, 4}, {1, m}, {1, m}, {1}};
  return {};
}

// Whether the anchors are known before running, and none has a negative height or width.
bool sound_anchors(const Value& anchors, const Numbers& numbers) {
  if (!anchors.constant) return false;
  for (int64_t i = 0; i < anchors.spec.shape.count(); ++i) {
    if (i % 4 >= 2 && numbers.at(anchors.data.data(), i) < 0) return false;
  }
  return true;
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.options, read_options(op.node()));
  s.encodings = numbers_of(op.in(0).spec);
  s.scores = numbers_of(op.in(1).spec);
  s.anchors = numbers_of(op.in(2).spec);
  s.sound = sound_anchors(op.in(2), s.anchors);
  s.boxes = op.in(0).spec.shape[1];
  s.encoding_size = op.in(0).spec.shape[2];
  s.columns = op.in(1).spec.shape[2];
  s.background = s.columns - s.options.classes;
  s.slots = op.out(1).spec.shape[1];
  s.limit = std::min(s.options.max_detections, s.boxes);
  if (s.options.regular) s.limit = std::min(s.limit, s.options.per_class);
  // Boxes, scores, order, selected, the best detections of all classes or of one box, and which
  // boxes are decoded.
  const Bytes boxes = static_cast<size_t>(s.boxes);
  const Bytes best =
      static_cast<size_t>(s.options.regular ? s.options.max_detections : s.options.max_classes);
  op.scratch_per_worker =
      (boxes * (sizeof(Box) + sizeof(float) + sizeof(int32_t) + 1) +
       Bytes(static_cast<size_t>(s.limit)) * sizeof(int32_t) + best * sizeof(Detection))
          .count();
  return {};
}

Box decode(const State& s, const uint8_t* encodings, const uint8_t* anchors, int32_t i) {
  const Options& o = s.options;
  const auto code = [&](int64_t k) {
    return static_cast<double>(s.encodings.at(encodings, i * s.encoding_size + k));
  };
  const auto anchor = [&](int64_t k) {
    return static_cast<double>(s.anchors.at(anchors, int64_t{i} * 4 + k));
  };
  const float y = static_cast<float>(code(0) / o.y_scale * anchor(2) + anchor(0));
  const float x = static_cast<float>(code(1) / o.x_scale * anchor(3) + anchor(1));
  const float h = static_cast<float>(0.5 * std::exp(code(2) / o.h_scale) * anchor(2));
  const float w = static_cast<float>(0.5 * std::exp(code(3) / o.w_scale) * anchor(3));
  return {y - h, x - w, y + h, x + w};
}

// Puts a detection into a list that is sorted by score, behind equal ones, and keeps the list's
// length within `limit`. Returns the new length.
int32_t insert(const Detection& d, Detection* list, int32_t length, int32_t limit) {
  if (length == limit && !(d.score > list[length - 1].score)) return length;
  int32_t at = length < limit ? length : length - 1;
  for (; at > 0 && d.score > list[at - 1].score; --at) list[at] = list[at - 1];
  list[at] = d;
  return std::min(length + 1, limit);
}

struct Work {
  std::function<Box(int32_t)> box;
  float* scores;
  int32_t *order, *selected;
  Detection* best;
};

struct Outputs {
  Box* boxes;
  float *categories, *scores;

  void put(int64_t slot, const Box& box, const Detection& d) const {
    boxes[slot] = box;
    categories[slot] = static_cast<float>(d.category);
    scores[slot] = d.score;
  }
};

// The best score of each box. Of codes the largest has the largest score.
template <typename T>
void best_scores(const State& s, const uint8_t* scores, float* best) {
  const T* row = reinterpret_cast<const T*>(scores) + s.background;
  for (int32_t i = 0; i < s.boxes; ++i, row += s.columns) {
    T most = row[0];
    for (int32_t c = 1; c < s.options.classes; ++c) most = std::max(most, row[c]);
    best[i] = s.scores.at(reinterpret_cast<const uint8_t*>(&most), 0);
  }
}

int32_t run_fast(const State& s, const uint8_t* scores, const Work& work, const Outputs& out) {
  const Options& o = s.options;
  const auto score = [&](int32_t box, int32_t category) {
    return s.scores.at(scores, box * s.columns + s.background + category);
  };
  switch (s.scores.type) {
    case DType::kUInt8:
      best_scores<uint8_t>(s, scores, work.scores);
      break;
    case DType::kInt8:
      best_scores<int8_t>(s, scores, work.scores);
      break;
    default:
      best_scores<float>(s, scores, work.scores);
  }
  const int32_t kept = suppress({o.least_score, o.most_overlap, s.limit}, work.box, work.scores,
                                s.boxes, work.order, work.selected);
  for (int32_t k = 0; k < kept; ++k) {
    const int32_t box = work.selected[k];
    int32_t length = 0;
    for (int32_t c = 0; c < o.classes; ++c) {
      length = insert({score(box, c), box, c}, work.best, length, o.max_classes);
    }
    for (int32_t c = 0; c < length; ++c) {
      out.put(int64_t{k} * o.max_classes + c, work.box(box), work.best[c]);
    }
  }
  return kept;
}

int32_t run_regular(const State& s, const uint8_t* scores, const Work& work, const Outputs& out) {
  const Options& o = s.options;
  int32_t length = 0;
  for (int32_t c = 0; c < o.classes; ++c) {
    for (int32_t i = 0; i < s.boxes; ++i) {
      work.scores[i] = s.scores.at(scores, i * s.columns + s.background + c);
    }
    const int32_t kept = suppress({o.least_score, o.most_overlap, s.limit}, work.box, work.scores,
                                  s.boxes, work.order, work.selected);
    for (int32_t k = 0; k < kept; ++k) {
      const int32_t box = work.selected[k];
      length = insert({work.scores[box], box, c}, work.best, length, o.max_detections);
    }
  }
  for (int32_t k = 0; k < length; ++k) out.put(k, work.box(work.best[k].box), work.best[k]);
  return length;
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  const size_t count = static_cast<size_t>(s.boxes);
  // All in scratch memory but the last are numbers of 4 bytes.
  Box* boxes = reinterpret_cast<Box*>(run.scratch(0));
  Work work;
  work.scores = reinterpret_cast<float*>(boxes + count);
  work.order = reinterpret_cast<int32_t*>(work.scores + count);
  work.selected = work.order + count;
  work.best = reinterpret_cast<Detection*>(work.selected + s.limit);
  const int32_t most = s.options.regular ? s.options.max_detections : s.options.max_classes;
  uint8_t* decoded = reinterpret_cast<uint8_t*>(work.best + most);
  std::fill_n(decoded, count, uint8_t{0});
  // Few boxes are looked at: each is decoded when it is.
  work.box = [&](int32_t i) {
    if (!decoded[i]) boxes[i] = decode(s, run.in<uint8_t>(0), run.in<uint8_t>(2), i);
    decoded[i] = 1;
    return boxes[i];
  };
  for (int32_t i = 0; i < s.boxes && !s.sound; ++i) {
    const Box b = work.box(i);
    if (b.ymin > b.ymax || b.xmin > b.xmax) {
      return run.fail(invalid_argument("an anchor has a negative height or width"));
    }
  }
  const Outputs out{run.out<Box>(0), run.out<float>(1), run.out<float>(2)};
  std::fill_n(out.boxes, s.slots, Box{});
  std::fill_n(out.categories, s.slots, 0.f);
  std::fill_n(out.scores, s.slots, 0.f);
  const auto suppression = s.options.regular ? run_regular : run_fast;
  *run.out<float>(3) = static_cast<float>(suppression(s, run.in<uint8_t>(1), work, out));
}

}  // namespace

extern const OpDef op_detection_post_process{check, infer, prepare, eval};

}  // namespace edge
