#include "runtime/execution.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "runtime/calls.h"

namespace edge {

Result<std::unique_ptr<Execution>> Execution::create(std::shared_ptr<const Plan> plan, int threads,
                                                     std::shared_ptr<Budget> budget) {
  std::unique_ptr<Execution> e(new Execution(std::move(plan), threads, std::move(budget)));
  EDGE_TRY(e->allocate());
  return e;
}

Execution::~Execution() { budget_->give(taken_); }

Status Execution::allocate() {
  const Plan& p = *plan_;
  const Bytes scratch = Bytes(p.scratch_per_worker()) * static_cast<size_t>(threads_);
  const Bytes all = Bytes(p.arena_bytes()) + p.variable_bytes() + scratch + p.scratch_shared();
  EDGE_TRY(budget_->take(all.count()));
  taken_ = all.count();
  arena_ = Arena(p.arena_bytes());
  variables_ = Arena(p.variable_bytes());
  scratch_ = Arena(scratch.count());
  shared_ = Arena(p.scratch_shared());
  if (!arena_.data() || !variables_.data() || !scratch_.data() || !shared_.data()) {
    return Status(Code::kResource, format("no memory for an arena of %zu bytes", p.arena_bytes()));
  }
  if (p.any_open()) open_ = std::make_unique<OpenSteps>(p, threads_, budget_);
  for (const Step& step : p.steps()) {
    std::vector<uint8_t*> in, out;
    for (int i : step.inputs) in.push_back(i == kAbsent ? nullptr : data(i));
    for (int o : step.outputs) out.push_back(data(o));
    inputs_.push_back(std::move(in));
    outputs_.push_back(std::move(out));
    std::vector<std::unique_ptr<Execution>> called;
    if (step.def->calls && p.graph().nodes[step.node].opcode != opcode::kCALL_ONCE) {
      for (const auto& callee : static_cast<const Calls*>(step.state.get())->plans) {
        EDGE_ASSIGN(auto made, create(callee, threads_, budget_));
        called.push_back(std::move(made));
      }
    }
    callees_.push_back(std::move(called));
  }
  if (open_) {
    for (size_t i = 0; i < p.places().size(); ++i) {
      const int value = static_cast<int>(i);
      if (p.graph().values[i].open || !data(value)) continue;
      EDGE_ASSIGN(const size_t count, bytes(value));
      open_->fix(value, {data(value), count});
    }
  }
  reset();
  return {};
}

const TensorSpec& Execution::spec(int value) const {
  return open_ ? open_->value(value).spec : plan_->graph().values[static_cast<size_t>(value)].spec;
}

uint8_t* Execution::data(int value) const {
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
  return open_ ? open_->data(value) : nullptr;
}

std::shared_ptr<const Chunk> Execution::chunk(int value) const {
  return open_ ? open_->chunk(value) : nullptr;
}

Result<uint8_t*> Execution::resize(int value, const Shape& shape, size_t bytes) {
  if (!plan_->graph().values[static_cast<size_t>(value)].open) {
    return invalid_argument(format("tensor %d has a shape that cannot change", value));
  }
  return open_->resize(value, shape, bytes);
}

Status Execution::receive(int value, const Execution& from, int source) {
  const TensorSpec& given = from.spec(source);
  const TensorSpec& wanted = spec(value);
  if (given.dtype != wanted.dtype) {
    return invalid_argument(
        format("a subgraph is given %s for %s", dtype_name(given.dtype), dtype_name(wanted.dtype)));
  }
  const bool is_open = plan_->graph().values[static_cast<size_t>(value)].open;
  if (is_open && from.chunk(source)) {
    open_->share(value, given.shape, from.chunk(source));
    return {};
  }
  EDGE_ASSIGN(const size_t bytes, from.bytes(source));
  uint8_t* to = data(value);
  if (is_open) {
    EDGE_ASSIGN(to, open_->resize(value, given.shape, bytes));
  } else if (given.shape != wanted.shape) {
    return invalid_argument(format("a subgraph is given %s for %s", to_string(given.shape).c_str(),
                                   to_string(wanted.shape).c_str()));
  }
  const uint8_t* data = from.data(source);
  // A value that nobody reads may have no place.
  if (bytes && data && to) std::memcpy(to, data, bytes);
  return {};
}

Result<size_t> Execution::bytes(int value) const {
  const Value& v = plan_->graph().values[static_cast<size_t>(value)];
  if (v.constant) return v.data.size();
  return byte_size(spec(value).dtype, spec(value).shape);
}

Status Execution::run_step(size_t n, RunContext& run) {
  const Step& step = plan_->steps()[n];
  if (step.def->calls) return run_calls(step, *this, callees_[n], run);
  if (step.open) return open_->run(step, run.pool, run.state.resources);
  if (step.def->alias && inputs_[n][0] == outputs_[n][0]) return {};
  Status status;
  step.def->eval(EvalContext(step.state.get(), inputs_[n].data(), outputs_[n].data(), &run.pool,
                             {scratch_.data(), plan_->scratch_per_worker(), shared_.data(),
                              variables_.data() + step.kept, &run.state.resources},
                             &status));
  return status;
}

Status Execution::run(RunContext& run, std::vector<int64_t>* nanoseconds) {
  const std::vector<Step>& steps = plan_->steps();
  if (nanoseconds) nanoseconds->assign(steps.size(), 0);
  for (size_t n = 0; n < steps.size(); ++n) {
    const auto start =
        nanoseconds ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
    EDGE_TRY(run.deadline.check());
    const Status status = run_step(n, run);
    if (!status.ok())
      return status.at(format("op %d %.100s", steps[n].nodes[0], steps[n].op.c_str()));
    if (open_) open_->release(static_cast<int>(n));
    if (nanoseconds) {
      (*nanoseconds)[n] = std::chrono::duration_cast<std::chrono::nanoseconds>(
                              std::chrono::steady_clock::now() - start)
                              .count();
    }
  }
  return {};
}

void Execution::reset() {
  if (variables_.size()) std::memset(variables_.data(), 0, variables_.size());
  const std::vector<Value>& values = plan_->graph().values;
  for (size_t i = 0; i < values.size(); ++i) {
    const TensorSpec& s = values[i].spec;
    if (plan_->places()[i].kind != Place::kVariable || s.dtype != DType::kInt8) continue;
    std::memset(data(static_cast<int>(i)), s.zero_point(), static_cast<size_t>(s.shape.count()));
  }
  if (open_) open_->reset();
  for (auto& called : callees_) {
    for (auto& callee : called) callee->reset();
  }
}

}  // namespace edge
