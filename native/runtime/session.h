// Session: a plan and the memory of one caller.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/thread_pool.h"
#include "runtime/execution.h"
#include "runtime/plan.h"

namespace edge {

// What sessions share that are entry points of one interpreter: resource variables and tables.
class SessionState {
 public:
  SharedState& shared() { return shared_; }
  std::atomic<bool>& running() { return running_; }

 private:
  SharedState shared_;
  std::atomic<bool> running_{false};
};

// One run at a time; sessions of one plan may run side by side, but not those that share a state.
class Session {
 public:
  // `threads` >= 1. kResource when the memory cannot be had. Without a state it gets its own.
  static Result<std::shared_ptr<Session>> create(std::shared_ptr<const Plan> plan, int threads,
                                                 std::shared_ptr<SessionState> state = nullptr);

  const Plan& plan() const { return main_->plan(); }
  const std::shared_ptr<SessionState>& state() const { return state_; }
  bool running() const { return state_->running(); }

  // The value with its present shape, which depends on data where Value::open.
  const TensorSpec& spec(int value) const { return main_->spec(value); }
  // The bytes of a value, or nullptr where the plan has optimized it away, or where it is open and
  // nothing has run yet. Constants are read only.
  uint8_t* data(int value) const { return main_->data(value); }
  // What keeps the bytes of an open value.
  std::shared_ptr<const Chunk> chunk(int value) const { return main_->chunk(value); }
  // An input of strings: as many as the shape has elements.
  Status set_strings(int value, const Shape& shape, const std::vector<std::string>& strings);

  // kInvalidArgument when another thread is inside run() of this session, or when the inputs hold
  // what an op cannot take (an index outside of a table). With `nanoseconds`, the time of each step
  // is stored there.
  Status run(std::vector<int64_t>* nanoseconds = nullptr);

  // Tensors that are variables back to their start values: zeros, of int8 ones the zero point.
  void reset();
  // Resource variables have no value any more, and CALL_ONCE runs again.
  void reset_resources();

 private:
  Session(int threads, std::shared_ptr<SessionState> state)
      : pool_(threads), state_(std::move(state)) {}

  ThreadPool pool_;
  std::shared_ptr<SessionState> state_;
  std::unique_ptr<Execution> main_;
};

}  // namespace edge
