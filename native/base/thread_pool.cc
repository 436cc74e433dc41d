#include "base/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace edge {
namespace {

using Clock = std::chrono::steady_clock;

// Long enough to catch the next op of the same inference, short enough not to burn a core that
// somebody else wants.
constexpr auto kSpin = std::chrono::microseconds(50);
// The first part of it without letting others run. More would cost whoever shares this core, and
// that may be the caller itself where other processes load the other cores.
constexpr auto kEager = std::chrono::microseconds(4);
constexpr int kEagerPauses = 100;

// A worker that keeps the caller waiting longer than the caller worked itself, and longer than
// this, has lost its core to another process. The caller then works alone for kAlone times as long
// as it waited, and twice as long each time that this happens again before kGood of undisturbed
// work, though not longer than kMostAlone.
constexpr auto kStall = std::chrono::microseconds(200);
constexpr int kAlone = 16;
constexpr Clock::duration kMostAlone = std::chrono::seconds(1);
constexpr Clock::duration kGood = std::chrono::milliseconds(100);

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  asm volatile("yield");
#endif
}

bool read_two(const std::string& path, char* first, size_t size, double* second) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (!file) return false;
  char text[128] = {};
  const size_t n = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  if (n == 0) return false;
  char word[64] = {};
  const int fields = std::sscanf(text, "%63s %lf", word, second);
  std::snprintf(first, size, "%s", word);
  return fields >= 1;
}

// CPUs granted by one cgroup folder, or 0 where it sets no quota.
double quota_of(const std::string& folder) {
  char word[64];
  double period = 0;
  if (read_two(folder + "/cpu.max", word, sizeof word, &period) && period > 0) {
    const double quota = std::atof(word);  // "max" gives 0
    if (quota > 0) return quota / period;
  }
  double unused = 0;
  char period_word[64];
  if (read_two(folder + "/cpu.cfs_quota_us", word, sizeof word, &unused) &&
      read_two(folder + "/cpu.cfs_period_us", period_word, sizeof period_word, &unused)) {
    const double quota = std::atof(word), us = std::atof(period_word);  // quota -1: none
    if (quota > 0 && us > 0) return quota / us;
  }
  return 0;
}

// The tightest quota on the way from this process's cgroup up to the root.
double cgroup_quota() {
  double tightest = 0;
  auto consider = [&](const std::string& mount, std::string path) {
    for (;;) {
      const double quota = quota_of(mount + path);
      if (quota > 0 && (tightest == 0 || quota < tightest)) tightest = quota;
      if (path.empty() || path == "/") return;
      path.erase(path.rfind('/'));
    }
  };
  std::FILE* file = std::fopen("/proc/self/cgroup", "re");
  if (!file) return 0;
  char line[1024];
  while (std::fgets(line, sizeof line, file)) {
    std::string text(line);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    const size_t a = text.find(':'), b = a == std::string::npos ? a : text.find(':', a + 1);
    if (b == std::string::npos) continue;
    const std::string controllers = text.substr(a + 1, b - a - 1);
    std::string path = text.substr(b + 1);
    if (path == "/") path.clear();
    if (controllers.empty()) {
      consider("/sys/fs/cgroup", path);
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
      consider("/sys/fs/cgroup/cpu", path);
    }
  }
  std::fclose(file);
  return tightest;
}

// Forks that lie between the first process and this one.
std::atomic<int> forks{0};
[[maybe_unused]] const int fork_handler = pthread_atfork(nullptr, nullptr, [] { ++forks; });

}  // namespace

int available_threads() {
  // Machines may have more CPUs than the fixed mask holds, so the mask grows until it fits.
  int count = 0;
  for (int cpus = 1024; cpus <= 1 << 18 && count == 0; cpus *= 2) {
    cpu_set_t* mask = CPU_ALLOC(cpus);
    if (!mask) break;
    if (sched_getaffinity(0, CPU_ALLOC_SIZE(cpus), mask) == 0) {
      count = CPU_COUNT_S(CPU_ALLOC_SIZE(cpus), mask);
    }
    CPU_FREE(mask);
  }
  if (count == 0) count = static_cast<int>(std::thread::hardware_concurrency());
  const double quota = cgroup_quota();
  if (quota > 0) count = std::min(count, static_cast<int>(std::ceil(quota)));
  return std::max(count, 1);
}

class ThreadPool::State {
 public:
  using Task = std::function<void(size_t, int)>;

  explicit State(int workers) {
    for (int i = 0; i < workers; ++i) {
      // A system that grants fewer threads gets the same results from those that it has.
      try {
        threads_.emplace_back([this, worker = i + 1] { work(worker); });
      } catch (const std::system_error&) {
        break;
      }
    }
  }

  ~State() {
    stop_.store(true);
    job_.fetch_add(1);
    wake();
    for (auto& t : threads_) t.join();
  }

  void run(size_t count, const Task& task) {
    const Clock::time_point start = Clock::now();
    if (start < alone_until_) {
      for (size_t i = 0; i < count; ++i) task(i, 0);
      return;
    }
    task_ = &task;
    count_ = count;
    next_.store(0, std::memory_order_relaxed);
    resting_.store(false, std::memory_order_relaxed);
    open_.store(true);
    job_.fetch_add(1);
    if (sleepers_.load() > 0) wake();
    take();
    // What is left is in the hands of workers that entered this job. Those that have not woken yet
    // find it closed, so the caller never waits for a thread that has done nothing.
    open_.store(false);
    if (busy_.load() == 0) return;
    const Clock::time_point done = Clock::now();
    for (int i = 0; busy_.load(std::memory_order_acquire) > 0; ++i) {
      if (i < kEagerPauses) {
        relax();
      } else {
        std::this_thread::yield();  // the worker may be waiting for this very core
      }
    }
    judge(done - start, Clock::now() - done);
  }

  void rest() { resting_.store(true, std::memory_order_relaxed); }

 private:
  // What it says about the cores that the caller worked and then waited for that long.
  void judge(Clock::duration worked, Clock::duration waited) {
    if (waited < kStall || waited < worked) return;
    const Clock::time_point now = Clock::now();
    factor_ = now - alone_until_ < kGood ? std::min(2 * factor_, 1 << 16) : kAlone;
    alone_until_ = now + std::min(kMostAlone, std::min(waited, kMostAlone) * factor_);
  }

  void take(int worker = 0) {
    for (size_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) {
      (*task_)(i, worker);
    }
  }

  void wake() {
    // Whoever holds the lock is between its last look at job_ and its sleep.
    mutex_.lock();
    mutex_.unlock();
    wake_.notify_all();
  }

  void work(int worker) {
    uint64_t seen = 0;
    while (!stop_.load(std::memory_order_relaxed)) {
      const auto start = Clock::now();
      for (auto now = start; job_.load(std::memory_order_acquire) == seen && now < start + kSpin;
           now = Clock::now()) {
        if (now < start + kEager && !resting_.load(std::memory_order_relaxed)) {
          for (int i = 0; i < 8; ++i) relax();
        } else {
          std::this_thread::yield();
        }
      }
      if (job_.load() == seen) {
        std::unique_lock<std::mutex> lock(mutex_);
        sleepers_.fetch_add(1);
        wake_.wait(lock, [&] { return job_.load() != seen; });
        sleepers_.fetch_sub(1);
      }
      seen = job_.load();
      // Either this sees that the job was closed, or its caller sees that this one is busy.
      busy_.fetch_add(1);
      if (open_.load()) take(worker);
      busy_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;  // of falling asleep
  std::condition_variable wake_;
  // Written by the caller while no job is open and no worker is busy.
  const Task* task_ = nullptr;
  size_t count_ = 0;
  Clock::time_point alone_until_{};  // this and the next are the caller's own
  int factor_ = kAlone;
  std::atomic<bool> open_{false}, resting_{false}, stop_{false};
  std::atomic<uint64_t> job_{0};
  std::atomic<size_t> next_{0};
  std::atomic<int> busy_{0}, sleepers_{0};
};

ThreadPool::ThreadPool(int threads) : threads_(std::max(threads, 1)) {}
ThreadPool::~ThreadPool() {
  // In a forked child the workers do not exist: joining them would wait for ever.
  if (state_ && fork_ != forks) (void)state_.release();
}

int ThreadPool::threads() const { return threads_; }

void ThreadPool::rest() {
  if (state_ && fork_ == forks) state_->rest();
}

void ThreadPool::run(size_t count, const std::function<void(size_t, int)>& task) {
  if (threads_ == 1 || count <= 1) {
    for (size_t i = 0; i < count; ++i) task(i, 0);
    return;
  }
  if (!state_ || fork_ != forks) {
    (void)state_.release();  // of a forked parent: its threads are not here
    state_ = std::make_unique<State>(threads_ - 1);
    fork_ = forks;
  }
  state_->run(count, task);
}

}  // namespace edge
