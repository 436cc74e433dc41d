// Execution: a plan with memory, and how it is run. A session has one, and each graph that another
// one calls has one inside of that.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "base/arena.h"
#include "base/thread_pool.h"
#include "ops/resources.h"
#include "runtime/limits.h"
#include "runtime/open_steps.h"
#include "runtime/plan.h"

namespace edge {

// What the sessions of one interpreter share: it outlives their runs and plans.
struct SharedState {
  Resources resources;
  std::set<int> initialized;  // graphs that CALL_ONCE has run
};

struct RunContext {
  ThreadPool& pool;
  SharedState& state;
  const Limits& limits;
  Deadline deadline;
};

class Execution {
 public:
  static Result<std::unique_ptr<Execution>> create(std::shared_ptr<const Plan> plan, int threads,
                                                   std::shared_ptr<Budget> budget);
  ~Execution();

  const Plan& plan() const { return *plan_; }
  int threads() const { return threads_; }
  const std::shared_ptr<Budget>& budget() const { return budget_; }

  // A value as it is now. The bytes are nullptr where the plan has optimized it away, or where an
  // open one has none yet. Constants are read only.
  const TensorSpec& spec(int value) const;
  uint8_t* data(int value) const;
  Result<size_t> bytes(int value) const;  // of strings: those of a constant, or 0
  // What keeps the bytes of an open value, of which the next run may make new ones.
  std::shared_ptr<const Chunk> chunk(int value) const;

  // Gives a value the bytes, and where it is open the shape, of one in another execution.
  Status receive(int value, const Execution& from, int source);
  // Memory for so many bytes of an open value, which gets that shape.
  Result<uint8_t*> resize(int value, const Shape& shape, size_t bytes);

  Status run(RunContext& run, std::vector<int64_t>* nanoseconds);
  void reset();

 private:
  Execution(std::shared_ptr<const Plan> plan, int threads, std::shared_ptr<Budget> budget)
      : plan_(std::move(plan)), threads_(threads), budget_(std::move(budget)) {}
  Status allocate();
  Status run_step(size_t n, RunContext& run);

  std::shared_ptr<const Plan> plan_;
  int threads_;
  std::shared_ptr<Budget> budget_;
  size_t taken_ = 0;  // of the budget, for the arenas
  Arena arena_, variables_, scratch_, shared_;
  std::vector<std::vector<uint8_t*>> inputs_, outputs_;  // pointers of each step
  std::unique_ptr<OpenSteps> open_;                      // where the plan has any
  // By step: of the graphs that it calls.
  std::vector<std::vector<std::unique_ptr<Execution>>> callees_;
};

}  // namespace edge
