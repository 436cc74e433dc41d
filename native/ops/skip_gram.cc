// SKIP_GRAM: the words of one string, ngram_size of them at a time in their order, with at most
// max_skip_size left out between two; with include_all_ngrams fewer words, too. Results are joined
// by a space. One that begins another one's words comes behind it.
#include <algorithm>
#include <string>
#include <vector>

#include "ops/support/strings.h"

namespace edge {
namespace {

// Their number grows with the power of ngram_size: a short text must not keep a device busy.
constexpr int64_t kMostGrams = int64_t{1} << 22;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// As the reference cuts it: a space that the text begins with belongs to the first word, which is
// left out unless it is the only one.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  size_t begin = 0;
  for (size_t i = 1; i < text.size(); ++i) {
    if (!is_space(text[i])) continue;
    if (i > begin && !is_space(text[begin])) words.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  if (begin < text.size()) words.push_back(text.substr(begin));
  return words;
}

// The words of one result after the other.
class Grams {
 public:
  Grams(const SkipGramAttributes& a, const uint8_t* input)
      : words_(words_of(Strings(input)[0])),
        size_(a.ngram_size),
        most_skipped_(a.max_skip_size),
        all_(a.include_all_ngrams) {
    restart();
  }

  void restart() {
    chosen_.clear();
    if (size_ > 0 && size_ <= count()) chosen_.push_back(-1);
  }

  bool next() {
    while (!chosen_.empty()) {
      const int64_t last = chosen_.back();
      chosen_.pop_back();
      if (last < limit()) {
        chosen_.push_back(last + 1);
        while (depth() < size_ && most_skipped_ >= 0 && chosen_.back() + 1 < count()) {
          chosen_.push_back(chosen_.back() + 1);
        }
      }
      if (depth() == size_ || (all_ && depth() > 0)) return true;
    }
    return false;
  }

  int64_t bytes() const {
    int64_t sum = depth() - 1;
    for (int64_t i : chosen_) sum += static_cast<int64_t>(word(i).size());
    return sum;
  }

  void join(std::string* gram) const {
    gram->clear();
    for (int64_t i : chosen_) {
      if (!gram->empty()) *gram += ' ';
      *gram += word(i);
    }
  }

 private:
  int64_t count() const { return static_cast<int64_t>(words_.size()); }
  int64_t depth() const { return static_cast<int64_t>(chosen_.size()); }
  std::string_view word(int64_t i) const { return words_[static_cast<size_t>(i)]; }

  // The last word that may stand next: what cannot become a result is not tried.
  int64_t limit() const {
    const int64_t behind = all_ ? 0 : size_ - depth() - 1;
    const int64_t last = count() - 1 - behind;
    return chosen_.empty() ? last : std::min(last, chosen_.back() + 1 + most_skipped_);
  }

  std::vector<std::string_view> words_;
  int64_t size_, most_skipped_;
  bool all_;
  std::vector<int64_t> chosen_;  // numbers of words; the last one counts up
};

Status check(const OpView& op) {
  EDGE_TRY(op.expect_attributes<SkipGramAttributes>());
  EDGE_TRY(op.expect_arity(1, 1, 1));
  EDGE_TRY(op.expect_input(0, {DType::kString}));
  return op.expect_output(0, {DType::kString});
}

Status infer(const OpView& op, std::vector<Shape>* shapes) {
  if (op.in(0).spec.shape.count() == 0) return invalid_model("its input has no string");
  EDGE_ASSIGN(const Span<const uint8_t> text, op.known(0));
  Grams grams(op.attributes<SkipGramAttributes>(), text.data());
  int64_t count = 0;
  for (int64_t bytes = 0; grams.next(); ++count) {
    bytes += grams.bytes();
    if (count == kMostGrams || bytes > INT32_MAX) {
      return unsupported("too many groups of words in one text");
    }
  }
  (*shapes)[0] = {static_cast<int32_t>(count)};
  return {};
}

struct State {
  SkipGramAttributes attributes;
  int64_t count = 0;
};

Status prepare(PrepareContext& op) {
  op.make_state<State>() = {op.attributes<SkipGramAttributes>(), op.out(0).spec.shape.count()};
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  Grams grams(s.attributes, run.in<uint8_t>(0));
  std::string gram;
  write_strings(run, 0, s.count, [&](int64_t k) {
    if (k == 0) grams.restart();
    grams.next();
    grams.join(&gram);
    return std::string_view(gram);
  });
}

}  // namespace

extern const OpDef op_skip_gram{check, infer, prepare, eval};

}  // namespace edge
