#include "ops/support/selection.h"

#include <algorithm>
#include <cmath>

#include "base/arena.h"
#include "ops/support/movement.h"
#include "ops/support/nms.h"

namespace edge {
namespace {

struct State {
  int32_t boxes = 0, limit = 0;
  bool soft = false;
};

struct Candidate {
  float score;
  int32_t box;
  int32_t seen;  // chosen boxes that it was held against
};

// The better one is looked at first, the first one of two as good.
bool worse(const Candidate& a, const Candidate& b) {
  return a.score != b.score ? a.score < b.score : a.box > b.box;
}

Box box_of(const float* corners) {  // which may come in any order
  return {std::min(corners[0], corners[2]), std::min(corners[1], corners[3]),
          std::max(corners[0], corners[2]), std::max(corners[1], corners[3])};
}

}  // namespace

Status check_selection(const OpView& op, bool soft) {
  const size_t inputs = soft ? 6 : 5, outputs = soft ? 3 : 2;
  EDGE_TRY(op.expect_arity(inputs, inputs, outputs));
  for (size_t i = 0; i < inputs; ++i) {
    EDGE_TRY(op.expect_input(i, {i == 2 ? DType::kInt32 : DType::kFloat32}));
  }
  for (size_t i = 0; i < outputs; ++i) {
    EDGE_TRY(op.expect_output(i, {soft && i == 1 ? DType::kFloat32 : DType::kInt32}));
  }
  return {};
}

Status infer_selection(const OpView& op, std::vector<Shape>* shapes) {
  const Shape &boxes = op.in(0).spec.shape, &scores = op.in(1).spec.shape;
  if (boxes.rank() != 2 || boxes[1] != 4 || scores.rank() != 1 || scores[0] != boxes[0]) {
    return invalid_model(
        format("boxes %s and scores %s", to_string(boxes).c_str(), to_string(scores).c_str()));
  }
  for (size_t i = 2; i < op.input_count(); ++i) {
    if (op.in(i).spec.shape.count() == 1) continue;
    return invalid_model(format("its input %zu is not a scalar", i));
  }
  EDGE_ASSIGN(const std::vector<int64_t> limit, op.constant_integers(2));
  for (size_t i = 0; i + 1 < shapes->size(); ++i) {
    EDGE_TRY(append_extent(limit[0], &(*shapes)[i]));
  }
  return {};
}

Status prepare_selection(PrepareContext& op) {
  State& s = op.make_state<State>();
  s.boxes = op.in(0).spec.shape[0];
  s.limit = op.out(0).spec.shape[0];
  s.soft = op.input_count() == 6;
  op.scratch_per_worker = (Bytes(static_cast<size_t>(s.boxes)) * sizeof(Candidate)).count();
  return {};
}

void eval_selection(const EvalContext& run) {
  const State& s = run.state<State>();
  const float *corners = run.in<float>(0), *scores = run.in<float>(1);
  const float most_overlap = *run.in<float>(3), least_score = *run.in<float>(4);
  const float sigma = s.soft ? *run.in<float>(5) : 0.f;
  if (!(sigma >= 0)) return run.fail(invalid_argument(format("sigma %g", double{sigma})));
  int32_t* chosen = run.out<int32_t>(0);
  float* chosen_scores = s.soft ? run.out<float>(1) : nullptr;

  Candidate* heap = reinterpret_cast<Candidate*>(run.scratch(0));
  Candidate* end = heap;
  for (int32_t i = 0; i < s.boxes; ++i) {
    if (scores[i] > least_score) *end++ = {scores[i], i, 0};
  }
  std::make_heap(heap, end, worse);
  const int32_t limit = static_cast<int32_t>(std::min<int64_t>(end - heap, s.limit));
  const float decay = sigma > 0 ? -0.5f / sigma : 0.f;
  int32_t count = 0;
  while (count < limit && end > heap) {
    std::pop_heap(heap, end, worse);
    Candidate next = *--end;
    const float before = next.score;
    const Box box = box_of(corners + 4 * int64_t{next.box});
    bool suppressed = false;
    for (int32_t j = count; j-- > next.seen && !suppressed;) {
      const float overlap = intersection_over_union(box, box_of(corners + 4 * int64_t{chosen[j]}));
      suppressed = overlap >= most_overlap;
      if (suppressed) break;
      if (sigma > 0) next.score *= std::exp(decay * overlap * overlap);
      if (next.score <= least_score) break;
    }
    next.seen = count;
    if (suppressed) continue;
    if (next.score == before) {
      if (chosen_scores) chosen_scores[count] = next.score;
      chosen[count++] = next.box;
    }
    // A chosen one too: it goes when it is held against itself, unless it has no area
    // (decision 001).
    if (next.score > least_score) {
      *end++ = next;
      std::push_heap(heap, end, worse);
    }
  }
  std::fill(chosen + count, chosen + s.limit, 0);
  if (chosen_scores) std::fill(chosen_scores + count, chosen_scores + s.limit, 0.f);
  *run.out<int32_t>(s.soft ? 2 : 1) = count;
}

}  // namespace edge
