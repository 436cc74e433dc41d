// A small pool: the caller works too, workers spin briefly for the next job, then sleep. Where
// another process keeps taking a worker's core away, or workers wake too late, the caller works
// alone for a while.
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

  // No job follows soon: the workers sleep at once instead of spinning, so that whoever runs next
  // has their cores.
  void rest();

 private:
  class State;
  std::unique_ptr<State> state_;
  int threads_;
  int fork_ = 0;  // the process that the workers live in, counted in forks
};

}  // namespace edge
