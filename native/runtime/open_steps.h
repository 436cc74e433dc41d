// The steps of a plan whose shapes depend on data. Each is inferred and prepared while it runs, the
// latter only where something has changed since the last time; its outputs get chunks of memory.
#pragma once

#include <memory>
#include <vector>

#include "base/thread_pool.h"
#include "ops/resources.h"
#include "runtime/chunk.h"
#include "runtime/plan.h"

namespace edge {

class OpenSteps {
 public:
  OpenSteps(const Plan& plan, int threads, std::shared_ptr<Budget> budget);

  // Where a value lies that is not open.
  void fix(int value, Span<const uint8_t> data);

  const Value& value(int i) const { return graph_.values[static_cast<size_t>(i)]; }
  uint8_t* data(int value) const;  // of an open one; nullptr before there is any
  std::shared_ptr<const Chunk> chunk(int value) const {
    return chunks_[static_cast<size_t>(value)];
  }
  Result<uint8_t*> resize(int value, const Shape& shape, size_t bytes);
  void share(int value, const Shape& shape, std::shared_ptr<const Chunk> chunk);

  Status run(const Step& step, ThreadPool& pool, Resources& resources);
  // Step n of the plan is done: what nobody reads any more leaves its memory to others.
  void release(int n);
  // Steps forget what they kept from run to run.
  void reset() { prepared_.clear(); }

 private:
  struct Prepared;
  class Strings;
  Status infer(const Step& step, const Resources& resources);
  Result<Prepared*> prepare(const Step& step, const Resources& resources);
  Status rename(int from, int to);
  Status grow(const PrepareContext& context);

  const Plan& plan_;
  size_t threads_;
  Graph graph_;  // values alone, as they are now
  std::vector<std::shared_ptr<const Chunk>> chunks_;
  Chunks free_;
  std::vector<std::vector<int>> last_read_;  // by step: open values that are read no later
  std::vector<std::shared_ptr<Prepared>> prepared_;
  std::shared_ptr<Chunk> scratch_, shared_;
  std::shared_ptr<Budget> budget_;
};

}  // namespace edge
