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
