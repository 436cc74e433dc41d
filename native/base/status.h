// Status and Result: how every function below reports what went wrong, without exceptions.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

namespace edge {

enum class Code {
  kOk,
  kInvalidModel,     // the file is damaged or contradicts itself
  kUnsupported,      // valid, but needs an op, type or form that this build lacks
  kInvalidArgument,  // the caller gave a wrong shape, index or value
  kResource,         // memory or another limit
  kLater,            // not known before running; never leaves the engine
  kInternal,         // a bug of ours
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  // The same error with the place where it happened put before its text.
  Status at(const std::string& place) const {
    return ok() ? *this : Status(code_, place + ": " + message_);
  }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

// printf-style text; messages are built on error paths only.
__attribute__((format(printf, 1, 2))) inline std::string format(const char* pattern, ...) {
  char text[512];
  va_list args;
  va_start(args, pattern);
  std::vsnprintf(text, sizeof text, pattern, args);
  va_end(args);
  return text;
}

inline Status invalid_model(std::string message) {
  return {Code::kInvalidModel, std::move(message)};
}
inline Status unsupported(std::string message) { return {Code::kUnsupported, std::move(message)}; }
inline Status invalid_argument(std::string message) {
  return {Code::kInvalidArgument, std::move(message)};
}
inline Status known_later(std::string message) { return {Code::kLater, std::move(message)}; }
inline Status internal_error(std::string message) { return {Code::kInternal, std::move(message)}; }

// A value or the reason why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: implicit on purpose
  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace edge

#define EDGE_TRY(expression)                     \
  do {                                           \
    ::edge::Status edge_status_ = (expression);  \
    if (!edge_status_.ok()) return edge_status_; \
  } while (0)

#define EDGE_JOIN_(a, b) a##b
#define EDGE_JOIN(a, b) EDGE_JOIN_(a, b)
// EDGE_ASSIGN(auto x, f()): x = *f(), or return f's error.
#define EDGE_ASSIGN(target, expression) \
  EDGE_ASSIGN_(EDGE_JOIN(edge_result_, __LINE__), target, expression)
#define EDGE_ASSIGN_(name, target, expression) \
  auto name = (expression);                    \
  if (!name.ok()) return name.status();        \
  target = std::move(*name)
