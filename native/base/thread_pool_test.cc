#include "base/thread_pool.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <vector>

namespace edge {
namespace {

// Runs `jobs` jobs of `count` items and checks that each item was taken once, by a known worker.
bool every_item_once(ThreadPool& pool, size_t count, int jobs) {
  for (int job = 0; job < jobs; ++job) {
    std::vector<std::atomic<int>> taken(count);
    std::atomic<bool> known{true};
    pool.run(count, [&](size_t i, int worker) {
      taken[i].fetch_add(1);
      if (worker < 0 || worker >= pool.threads()) known = false;
    });
    for (auto& t : taken) {
      if (t != 1) return false;
    }
    if (!known) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("thread pool: every item is done once, whatever the number of threads") {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    CAPTURE(threads);
    for (size_t count : {0, 1, 2, 7, 1000}) CHECK(every_item_once(pool, count, 50));
  }
}

TEST_CASE("thread pool: jobs go on after a rest") {
  ThreadPool pool(3);
  pool.rest();  // before the first job, too
  for (int i = 0; i < 20; ++i) {
    CHECK(every_item_once(pool, 100, 3));
    pool.rest();
  }
}

TEST_CASE("thread pool: beside a worker that loses its core the caller works alone for a while") {
  ThreadPool pool(2);
  // Makes the worker, if it wakes in time to take one of the two items, sleep on it.
  bool slept = false;
  for (int attempt = 0; attempt < 100 && !slept; ++attempt) {
    std::atomic<bool> worker_came{false};
    pool.run(2, [&](size_t, int worker) {
      if (worker == 1) {
        worker_came = true;
        usleep(20000);
      } else {
        for (int i = 0; i < 100 && !worker_came; ++i) usleep(10);
      }
    });
    slept = worker_came;
  }
  REQUIRE(slept);
  std::atomic<int> by_worker{0};
  pool.run(100, [&](size_t, int worker) { by_worker += worker; });
  CHECK(by_worker == 0);
  CHECK(every_item_once(pool, 100, 3));
  usleep(400000);  // 16 times 20 ms and more
  bool came_back = false;
  for (int attempt = 0; attempt < 100 && !came_back; ++attempt) {
    pool.run(2, [&](size_t, int worker) {
      if (worker == 1) came_back = true;
      usleep(100);
    });
  }
  CHECK(came_back);
}

TEST_CASE("thread pool: a forked child starts workers of its own") {
  ThreadPool pool(3);
  REQUIRE(every_item_once(pool, 100, 3));
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(every_item_once(pool, 100, 3) ? 0 : 1);
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(every_item_once(pool, 100, 3));
}

TEST_CASE("thread pool: at least one thread is available") { CHECK(available_threads() >= 1); }

}  // namespace edge
