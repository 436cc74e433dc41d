// Feeds damaged versions of model files to the runtime, each in a process of its own, whose time
// and memory are limited, and counts how they end.
//
//   edge_mutants COUNT MODEL...       COUNT byte mutants and as many field mutants over all models
//   edge_mutants byte|field N MODEL   mutant N alone, in this process: for a debugger
//
// The first prints one JSON object, and exits with 1 where a mutant ended by anything but a run or
// an error of ours.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "fuzz/mutate.h"
#include "reader/reader.h"
#include "runtime/session.h"

namespace edge {
namespace {

using File = std::vector<uint8_t>;

constexpr rlim_t kSeconds = 5;        // of the processor
constexpr double kHang = 60;          // of the clock, which other processes may hold up
constexpr int64_t kMemory = 1 << 30;  // bytes that are in use, not those asked for
constexpr size_t kGraphs = 4;         // of a file that are planned and run
// What a caller would set who has that much to give.
const PlanOptions kOptions = [] {
  PlanOptions options;
  options.limits.memory_bytes = kMemory / 2;
  options.limits.seconds = kSeconds / 2.;
  return options;
}();

// How a mutant ends by itself; exit codes, so that 0, 1 and those of sanitizers are others.
enum End { kRan = 10, kNotRead, kNotPlanned, kNotRun, kBug, kMostEnds };
const char* const kEnds[] = {"ran", "not_read", "not_planned", "not_run", "internal_error"};
bool good(const std::string& end) {
  for (int e = kRan; e < kBug; ++e) {
    if (end == kEnds[e - kRan]) return true;
  }
  return false;
}

File read_all(const char* path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "cannot open %s\n", path);
    std::exit(2);
  }
  return File(std::istreambuf_iterator<char>(in), {});
}

// One to four bytes or words replaced.
void change_bytes(File* file, uint32_t seed) {
  static constexpr int32_t kValues[] = {INT32_MIN,     -1,      0,        1, 2, 127, 255, 32768,
                                        (1 << 16) + 1, 1 << 30, INT32_MAX};
  std::mt19937 random(seed);
  for (uint32_t n = 1 + random() % 4; n > 0; --n) {
    const size_t at = random() % file->size();
    if (random() % 2 || file->size() < 4) {
      (*file)[at] = static_cast<uint8_t>(random());
    } else {
      const int32_t value = kValues[random() % std::size(kValues)];
      std::memcpy(file->data() + std::min(at / 4 * 4, file->size() - 4), &value, sizeof value);
    }
  }
}

bool change(File* file, bool field, uint32_t number) {
  const uint32_t seed = number * 2654435761u;
  if (field) return edge_mutate(file->data(), file->size(), seed) > 0;
  change_bytes(file, seed);
  return !file->empty();
}

End fail(const Status& status, End end) { return status.code() == Code::kInternal ? kBug : end; }

// The inputs are bytes of the file, which as indices lie anywhere and as floats are anything.
Status run(const std::shared_ptr<const Plan>& plan, const File& file) {
  EDGE_ASSIGN(const std::shared_ptr<Session> session, Session::create(plan, 1));
  for (int input : plan->graph().inputs) {
    const TensorSpec& spec = plan->graph().values[static_cast<size_t>(input)].spec;
    EDGE_ASSIGN(const size_t bytes, byte_size(spec.dtype, spec.shape));
    if (plan->place(input).kind != Place::kArena) continue;
    for (size_t i = 0; i < bytes; ++i) session->data(input)[i] = file[i % file.size()];
  }
  return session->run();
}

End use(const File& file, std::string* message) {
  const auto model = read_bytes({file.data(), file.size()});
  *message = model.status().message();
  if (!model.ok()) return fail(model.status(), kNotRead);
  End end = kRan;
  for (size_t i = 0; i < std::min((*model)->graphs.size(), kGraphs); ++i) {
    (void)dump((*model)->graphs[i]);
    const auto plan = Plan::build(*model, static_cast<int>(i), kOptions);
    const Status status = plan.ok() ? run(*plan, file) : plan.status();
    if (status.ok()) continue;
    *message = status.message();
    end = std::max(end, fail(status, plan.ok() ? kNotRun : kNotPlanned));
  }
  return end;
}

int64_t resident(pid_t process) {
  long pages = 0;
  std::ifstream in("/proc/" + std::to_string(process) + "/statm");
  in >> pages >> pages;
  return int64_t{pages} * sysconf(_SC_PAGESIZE);
}

struct Outcome {
  std::string end;
  double seconds;
  int64_t bytes;
};

// Waits for the child's end, which closes the pipe; ends it where it takes too long or too much.
Outcome watch(pid_t child, int pipe) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  pollfd done{pipe, 0, 0};  // tells of the other end's closing whatever it is asked
  std::string end;
  while (poll(&done, 1, 20) == 0) {
    if (resident(child) > kMemory) end = "memory";
    if (std::chrono::duration<double>(Clock::now() - start).count() > kHang) end = "hang";
    if (!end.empty()) kill(child, SIGKILL);
  }
  int status = 0;
  rusage used{};
  wait4(child, &status, 0, &used);
  const int64_t bytes = int64_t{used.ru_maxrss} * 1024;
  if (end.empty() && WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    end = signal == SIGXCPU ? "time" : "signal " + std::to_string(signal);
  } else if (end.empty()) {
    const int code = WEXITSTATUS(status);
    end = code < kRan || code >= kMostEnds ? "sanitizer" : kEnds[code - kRan];
    if (bytes > kMemory) end = "memory";
  }
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return {end, seconds(used.ru_utime) + seconds(used.ru_stime), bytes};
}

Outcome try_in_child(const File& file) {
  int ends[2];
  if (pipe(ends) != 0) std::perror("pipe"), std::exit(2);
  const pid_t child = fork();
  if (child < 0) std::perror("fork"), std::exit(2);
  if (child == 0) {
    close(ends[0]);
    const rlimit time{kSeconds, kSeconds + 1}, core{0, 0};
    setrlimit(RLIMIT_CPU, &time);
    setrlimit(RLIMIT_CORE, &core);
    std::string message;
    _exit(use(file, &message));
  }
  close(ends[1]);
  const Outcome outcome = watch(child, ends[0]);
  close(ends[0]);
  return outcome;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

int all(uint32_t count, const std::vector<const char*>& paths) {
  std::vector<File> files;
  for (const char* path : paths) files.push_back(read_all(path));
  std::map<std::string, int> ends;
  std::string failures;
  double seconds = 0;
  int64_t bytes = 0;
  for (const bool field : {false, true}) {
    for (uint32_t n = 0; n < count; ++n) {
      const size_t model = n % files.size();
      File file = files[model];
      const char* kind = field ? "field" : "byte";
      if (!change(&file, field, n)) {
        std::fprintf(stderr, "%s is no model\n", paths[model]);
        return 2;
      }
      const Outcome o = try_in_child(file);
      ++ends[o.end];
      seconds = std::max(seconds, o.seconds);
      bytes = std::max(bytes, o.bytes);
      if (good(o.end)) continue;
      std::fprintf(stderr, "%s: edge_mutants %s %u %s\n", o.end.c_str(), kind, n, paths[model]);
      failures += std::string(failures.empty() ? "" : ", ") + "{\"end\": " + quoted(o.end) +
                  ", \"kind\": \"" + kind + "\", \"number\": " + std::to_string(n) +
                  ", \"model\": " + quoted(paths[model]) + "}";
    }
  }
  std::string counts;
  for (const auto& [end, times] : ends) {
    counts += (counts.empty() ? "" : ", ") + quoted(end) + ": " + std::to_string(times);
  }
  std::printf(
      "{\"byte_mutants\": %u, \"field_mutants\": %u, \"models\": %zu, \"ends\": {%s}, "
      "\"longest_s\": %.3f, \"most_mib\": %.1f, \"failures\": [%s]}\n",
      count, count, files.size(), counts.c_str(), seconds, static_cast<double>(bytes) / (1 << 20),
      failures.c_str());
  return failures.empty() ? 0 : 1;
}

int one(bool field, uint32_t number, const char* path) {
  File file = read_all(path);
  if (!change(&file, field, number)) return 2;
  std::string message;
  const End end = use(file, &message);
  std::printf("%s: %s\n", kEnds[end - kRan], message.c_str());
  return end == kBug;
}

}  // namespace
}  // namespace edge

int main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  const auto number = [&](int i) {
    return static_cast<uint32_t>(std::strtoul(argv[i], nullptr, 10));
  };
  if (argc == 4 && (first == "byte" || first == "field")) {
    return edge::one(first == "field", number(2), argv[3]);
  }
  if (argc >= 3 && number(1) > 0) return edge::all(number(1), {argv + 2, argv + argc});
  std::fprintf(stderr, "edge_mutants COUNT MODEL... | byte|field NUMBER MODEL\n");
  return 2;
}
