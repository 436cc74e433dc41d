#include "runtime/session.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/arena.h"

namespace edge {

Result<std::shared_ptr<Session>> Session::create(std::shared_ptr<const Plan> plan, int threads) {
  if (threads < 1 || threads > 1024) {
    return invalid_argument(format("%d threads, wanted 1 to 1024", threads));
  }
  std::shared_ptr<Session> s(new Session(std::move(plan), threads));
  const Plan& p = *s->plan_;
  s->arena_ = Arena(p.arena_bytes());
  s->variables_ = Arena(p.variable_bytes());
  s->scratch_ = Arena((Bytes(p.scratch_per_worker()) * static_cast<size_t>(threads)).count());
  s->shared_ = Arena(p.scratch_shared());
  if (!s->arena_.data() || !s->variables_.data() || !s->scratch_.data() || !s->shared_.data()) {
    return Status(Code::kResource, format("no memory for an arena of %zu bytes", p.arena_bytes()));
  }
  s->reset();
  for (const Step& step : p.steps()) {
    std::vector<uint8_t*> in, out;
    for (int i : step.inputs) in.push_back(i == kAbsent ? nullptr : s->data(i));
    for (int o : step.outputs) out.push_back(s->data(o));
    s->inputs_.push_back(std::move(in));
    s->outputs_.push_back(std::move(out));
  }
  return s;
}

uint8_t* Session::data(int value) const {
  const Place& place = plan_->place(value);
  switch (place.kind) {
    case Place::kArena:
      return arena_.data() + place.offset;
    case Place::kVariable:
      return variables_.data() + place.offset;
    case Place::kConstant:
      return const_cast<uint8_t*>(place.data);  // the plan never gives a constant as an output
    case Place::kNone:
      break;
  }
  return nullptr;
}

Status Session::run(std::vector<int64_t>* nanoseconds) {
  if (running_.exchange(true, std::memory_order_acquire)) {
    return invalid_argument(
        "this session is running in another thread; give each thread its own session");
  }
  const std::vector<Step>& steps = plan_->steps();
  if (nanoseconds) nanoseconds->assign(steps.size(), 0);
  Status status;
  for (size_t n = 0; n < steps.size() && status.ok(); ++n) {
    const Step& step = steps[n];
    const auto start =
        nanoseconds ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
    const bool in_place = step.def->alias && inputs_[n][0] == outputs_[n][0];
    if (!in_place) {
      step.def->eval(EvalContext(step.state.get(), inputs_[n].data(), outputs_[n].data(), &pool_,
                                 {scratch_.data(), plan_->scratch_per_worker(), shared_.data(),
                                  variables_.data() + step.kept},
                                 &status));
      if (!status.ok()) status = status.at(format("op %d %.100s", step.nodes[0], step.op.c_str()));
    }
    if (nanoseconds) {
      (*nanoseconds)[n] = std::chrono::duration_cast<std::chrono::nanoseconds>(
                              std::chrono::steady_clock::now() - start)
                              .count();
    }
  }
  pool_.rest();
  running_.store(false, std::memory_order_release);
  return status;
}

void Session::reset() {
  if (variables_.size()) std::memset(variables_.data(), 0, variables_.size());
  const std::vector<Value>& values = plan_->graph().values;
  for (size_t i = 0; i < values.size(); ++i) {
    const TensorSpec& s = values[i].spec;
    if (plan_->places()[i].kind != Place::kVariable) continue;
    if (!values[i].data.empty()) {
      std::copy(values[i].data.begin(), values[i].data.end(), data(static_cast<int>(i)));
      continue;
    }
    if (s.dtype != DType::kInt8) continue;
    std::memset(data(static_cast<int>(i)), s.zero_point(), static_cast<size_t>(s.shape.count()));
  }
}

}  // namespace edge
