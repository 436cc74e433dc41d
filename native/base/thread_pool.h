// A small pool: the caller works too, workers spin briefly for the next job, then sleep.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace edge {

// CPUs that this process may use: the affinity mask (which a cpuset narrows), cut by the cgroup's
// CPU quota (v2 cpu.max, v1 cfs_quota_us), rounded up. At least 1.
int available_threads();

// Not thread-safe: one caller at a time, as a session has one.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  // Calls task(i, worker) for each i in [0, count), each once, on any of threads() workers, and
  // returns when all are done. `worker` in [0, threads()) names the scratch memory to use. The
  // results must not depend on which worker takes which i. After fork() the child has no workers:
  // they are started again on the first call there.
  void run(size_t count, const std::function<void(size_t i, int worker)>& task);

 private:
  class State;
  std::unique_ptr<State> state_;
  int threads_;
  int pid_ = 0;
};

}  // namespace edge
