// Session: a plan and the memory of one caller.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/arena.h"
#include "base/thread_pool.h"
#include "runtime/plan.h"

namespace edge {

// One run at a time; sessions of one plan may run side by side.
class Session {
 public:
  // `threads` >= 1. kResource when the memory cannot be had.
  static Result<std::shared_ptr<Session>> create(std::shared_ptr<const Plan> plan, int threads);

  const Plan& plan() const { return *plan_; }

  // The bytes of a value, or nullptr where the plan has optimized it away. Constants are read only.
  uint8_t* data(int value) const;

  // kInvalidArgument when another thread is inside run() of this session, or when the inputs hold
  // what an op cannot take (an index outside of a table). With `nanoseconds`, the time of each step
  // is stored there.
  Status run(std::vector<int64_t>* nanoseconds = nullptr);

  // Variables back to their start values: zeros, of int8 ones the zero point.
  void reset();

 private:
  Session(std::shared_ptr<const Plan> plan, int threads) : plan_(std::move(plan)), pool_(threads) {}

  std::shared_ptr<const Plan> plan_;
  Arena arena_, variables_, scratch_, shared_;
  ThreadPool pool_;
  std::vector<std::vector<uint8_t*>> inputs_, outputs_;  // pointers of each step
  std::atomic<bool> running_{false};
};

}  // namespace edge
