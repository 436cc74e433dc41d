// What a model may take of the machine. Files come over the network: some ask for more than anybody
// wants to give.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace edge {

struct Limits {
  size_t memory_bytes = 0;       // of a session's tensors; 0: as much as the machine has
  int64_t tensors = 1 << 20;     // of a graph, with those of the graphs that are put into it
  int nesting = 16;              // graphs that call graphs that call graphs
  int64_t loop_steps = 1 << 20;  // of one WHILE
  double seconds = 0;            // of one run, looked at between steps; 0: any
};

// "... is more than Limits.<name> = <limit>" and how to raise it.
Status beyond(const char* name, double limit, const std::string& what);

// Counts the bytes that a session holds against Limits::memory_bytes; taken by one thread at a
// time.
class Budget {
 public:
  explicit Budget(const Limits& limits);
  Status take(size_t bytes);
  void give(size_t bytes) { used_ -= bytes; }
  bool allows(size_t bytes) const { return bytes <= limit_ && used_ <= limit_ - bytes; }

 private:
  size_t limit_;
  std::atomic<size_t> used_{0};  // arrays that callers hold are given back by any thread
};

// When a run has to end.
class Deadline {
 public:
  explicit Deadline(const Limits& limits);
  Status check() const;

 private:
  using Clock = std::chrono::steady_clock;
  double seconds_;
  Clock::time_point end_;
};

}  // namespace edge
