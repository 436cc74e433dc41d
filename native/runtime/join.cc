// Which values between convolutions are worth never being whole.
#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "runtime/chain.h"

namespace edge {
namespace {

// What a chain may add to the work of its steps to save memory, by the estimate.
constexpr double kMostEffort = 1.05;

// Picture rows for each that neighbouring threads compute twice, for a chain that saves no memory.
constexpr int kLeastRows = 16;

// Values smaller than this part of all memory do not decide over its size.
constexpr size_t kSmallPart = 8;

// Values that are tried at most: a hostile file must not make loading slow.
constexpr size_t kMostTried = 64;

// A value between two steps that can be joined: the output of step `step`.
struct Link {
  size_t step, bytes;
};

class Joiner {
 public:
  Joiner(const Graph& graph, const std::vector<Step>& steps, size_t tile_bytes)
      : graph_(graph), steps_(steps), tile_bytes_(tile_bytes), joined_(steps.size(), 0) {}

  Status choose() {
    EDGE_ASSIGN(const std::vector<Link> links, find_links());
    if (links.empty()) return {};
    for (const Link& l : links) {
      if (l.bytes > tile_bytes_)
        join(l.step, [&](size_t first, size_t count) {
          return steps_[l.step + 1].rows.axis.out >= kLeastRows * overlap(&steps_[first], count);
        });
    }
    EDGE_ASSIGN(size_t best, memory());
    const size_t small = best / kSmallPart;
    // Ever more, the largest first; those up to the lowest need of memory stay.
    std::vector<size_t> added;
    size_t kept = 0;
    for (const Link& l : links) {
      const auto cheap = [&](size_t first, size_t count) {
        return tiling(first, count).effort <= kMostEffort;
      };
      if (added.size() == kMostTried) break;
      if (joined_[l.step] || l.bytes < small || !join(l.step, cheap)) continue;
      added.push_back(l.step);
      EDGE_ASSIGN(const size_t now, memory());
      if (now >= best) continue;
      best = now;
      kept = added.size();
    }
    for (size_t i = added.size(); i-- > kept;) joined_[added[i]] = 0;
    // Some of them may have had no part in that.
    for (size_t i = kept; i-- > 0;) {
      joined_[added[i]] = 0;
      EDGE_ASSIGN(const size_t now, memory());
      joined_[added[i]] = now > best;
    }
    return {};
  }

  // One past the last step of the chain that begins at `first`.
  size_t end_of(size_t first) const {
    while (joined_[first]) ++first;
    return first + 1;
  }

 private:
  // The largest first.
  Result<std::vector<Link>> find_links() const {
    std::vector<int> readers(graph_.values.size(), 0);
    for (int o : graph_.outputs) ++readers[static_cast<size_t>(o)];
    for (const Step& s : steps_) {
      for (int i : s.inputs) {
        if (i != kAbsent) ++readers[static_cast<size_t>(i)];
      }
    }
    std::vector<Link> links;
    for (size_t n = 0; n + 1 < steps_.size(); ++n) {
      if (!can_follow(graph_, steps_[n], steps_[n + 1])) continue;
      const size_t between = static_cast<size_t>(steps_[n].outputs[0]);
      const Value& v = graph_.values[between];
      if (readers[between] != 1 || v.variable) continue;
      EDGE_ASSIGN(const size_t bytes, byte_size(v.spec.dtype, v.spec.shape));
      links.push_back({n, bytes});
    }
    std::stable_sort(links.begin(), links.end(),
                     [](const Link& a, const Link& b) { return a.bytes > b.bytes; });
    return links;
  }

  // Joins a step to the next one if the chain that they are then part of is `worth` it.
  template <typename F>
  bool join(size_t step, const F& worth) {
    joined_[step] = 1;
    size_t first = step;
    while (first > 0 && joined_[first - 1]) --first;
    joined_[step] = worth(first, end_of(first) - first);
    return joined_[step];
  }

  const Tiling& tiling(size_t first, size_t count) {
    Tiling& t = tilings_[{first, count}];
    if (t.height == 0) t = tile(graph_, &steps_[first], count, tile_bytes_);
    return t;
  }

  // Bytes of the arena and of one thread's scratch memory.
  Result<size_t> memory() {
    std::vector<Access> all;
    size_t scratch = 0;
    for (size_t n = 0, end; n < steps_.size(); n = end) {
      end = end_of(n);
      size_t most = 0;
      for (size_t i = n; i < end; ++i) most = std::max(most, steps_[i].scratch_per_worker);
      if (end - n > 1) most += tiling(n, end - n).buffers;
      scratch = std::max(scratch, most);
      all.push_back(access(steps_[n], steps_[end - 1]));
    }
    EDGE_ASSIGN(const Layout layout, lay_out(graph_, all, false));
    return layout.arena_bytes + scratch;
  }

  const Graph& graph_;
  const std::vector<Step>& steps_;
  const size_t tile_bytes_;
  std::vector<char> joined_;                             // the step runs together with the next one
  std::map<std::pair<size_t, size_t>, Tiling> tilings_;  // of chains by first step and count
};

}  // namespace

Status join_chains(const Graph& graph, size_t tile_bytes, std::vector<Step>* steps) {
  Joiner joiner(graph, *steps, tile_bytes);
  EDGE_TRY(joiner.choose());
  std::vector<Step> all;
  for (size_t n = 0, end; n < steps->size(); n = end) {
    end = joiner.end_of(n);
    const size_t count = end - n;
    const auto from = std::make_move_iterator(steps->begin()) + static_cast<std::ptrdiff_t>(n);
    if (count == 1) {
      all.push_back(*from);
    } else {
      const int height = tile(graph, &(*steps)[n], count, tile_bytes).height;
      all.push_back(make_chain(graph, {from, from + static_cast<std::ptrdiff_t>(count)}, height));
    }
  }
  *steps = std::move(all);
  return {};
}

}  // namespace edge
