#include "runtime/session.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime/guard.h"

namespace edge {

Result<std::shared_ptr<Session>> Session::create(std::shared_ptr<const Plan> plan, int threads,
                                                 std::shared_ptr<SessionState> state) {
  if (threads < 1 || threads > 1024) {
    return invalid_argument(format("%d threads, wanted 1 to 1024", threads));
  }
  return guarded([&]() -> Result<std::shared_ptr<Session>> {
    if (!state) state = std::make_shared<SessionState>();
    std::shared_ptr<Session> s(new Session(threads, std::move(state)));
    const auto budget = std::make_shared<Budget>(plan->limits());
    EDGE_ASSIGN(s->main_, Execution::create(std::move(plan), threads, budget));
    const Graph& graph = s->plan().graph();
    for (int i : graph.inputs) {
      const TensorSpec& spec = graph.values[static_cast<size_t>(i)].spec;
      if (spec.dtype != DType::kString) continue;
      EDGE_TRY(byte_size(DType::kInt64, spec.shape).status());
      // Empty ones, which all end where they begin: files may ask for as many as memory holds.
      const size_t count = static_cast<size_t>(spec.shape.count());
      const int32_t head = static_cast<int32_t>(4 * (count + 2));
      EDGE_ASSIGN(uint8_t* data, s->main_->resize(i, spec.shape, static_cast<size_t>(head)));
      int32_t* places = reinterpret_cast<int32_t*>(data);
      places[0] = static_cast<int32_t>(count);
      std::fill_n(places + 1, count + 1, head);
    }
    return s;
  });
}

Status Session::set_strings(int value, const Shape& shape,
                            const std::vector<std::string>& strings) {
  return guarded([&]() -> Status {
    if (static_cast<int64_t>(strings.size()) != shape.count()) {
      return invalid_argument(
          format("%zu strings for %s", strings.size(), to_string(shape).c_str()));
    }
    const size_t head = 4 * (strings.size() + 2);
    const size_t bytes =
        std::accumulate(strings.begin(), strings.end(), head,
                        [](size_t sum, const std::string& s) { return sum + s.size(); });
    if (bytes > INT32_MAX) return invalid_argument("strings of more than 2^31-1 bytes");
    EDGE_ASSIGN(uint8_t* data, main_->resize(value, shape, bytes));
    const auto put = [data](size_t i, size_t number) {
      const int32_t n = static_cast<int32_t>(number);
      std::memcpy(data + 4 * i, &n, 4);
    };
    put(0, strings.size());
    size_t at = head;
    for (size_t i = 0; i < strings.size(); ++i) {
      put(i + 1, at);
      std::memcpy(data + at, strings[i].data(), strings[i].size());
      at += strings[i].size();
    }
    put(strings.size() + 1, at);
    return {};
  });
}

Status Session::run(std::vector<int64_t>* nanoseconds) {
  if (state_->running().exchange(true, std::memory_order_acquire)) {
    return invalid_argument(
        "this session is running in another thread; give each thread its own session");
  }
  const Limits& limits = plan().limits();
  RunContext context{pool_, state_->shared(), limits, Deadline(limits)};
  const Status status = guarded([&] { return main_->run(context, nanoseconds); });
  pool_.rest();
  state_->running().store(false, std::memory_order_release);
  return status;
}

void Session::reset() { main_->reset(); }

void Session::reset_resources() {
  state_->shared().resources.clear_variables();
  state_->shared().initialized.clear();
}

}  // namespace edge
