// What an operator is: how its node is checked, what shapes it gives, how it is prepared and run.
//
// Check in prepare, trust in eval: check, infer and prepare meet whatever a hostile file says and
// return a Status; eval sees only what they let through and tests nothing again.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/span.h"
#include "base/thread_pool.h"
#include "graph/graph.h"
#include "ops/support/window.h"

namespace edge {

class Resources;

// A node with the graph around it, read only.
class OpView {
 public:
  OpView(const Graph& graph, const Node& node, const Resources* resources = nullptr)
      : graph_(graph), node_(node), resources_(resources) {}

  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  size_t input_count() const { return node_.inputs.size(); }
  size_t output_count() const { return node_.outputs.size(); }
  bool has_input(size_t i) const { return node_.input(i) != kAbsent; }
  const Value& in(size_t i) const { return graph_.values[static_cast<size_t>(node_.inputs[i])]; }
  const Value& out(size_t i) const { return graph_.values[static_cast<size_t>(node_.outputs[i])]; }

  // The node's attributes; those of a file that leaves the table out are all defaults.
  template <typename T>
  const T& attributes() const {
    static const T kDefaults{};
    const T* a = std::get_if<T>(&node_.attributes);
    return a ? *a : kDefaults;
  }

  // For check(): the number of inputs (all given, but for those from `required` on, which may be
  // absent) and of outputs, and that the attributes are T's or left out.
  Status expect_arity(size_t required, size_t most, size_t outputs) const;
  template <typename T>
  Status expect_attributes() const {
    if (std::holds_alternative<T>(node_.attributes) ||
        std::holds_alternative<std::monostate>(node_.attributes)) {
      return {};
    }
    return invalid_model("its options are those of another op");
  }
  // The type of an input (or output) is one of `types`; kUnsupported names it otherwise.
  Status expect_input(size_t i, std::initializer_list<DType> types) const;
  Status expect_output(size_t i, std::initializer_list<DType> types) const;
  // Input i is a variable of that type with `count` elements.
  Status expect_variable(size_t i, DType type, int64_t count) const;
  // Exactly the same type as input 0.
  Status expect_output_as_input(size_t i = 0) const;
  // One positive, finite scale and a zero point within the type's range, for 8-bit tensors;
  // nothing for other types.
  Status expect_quantized(const Value& value) const;
  // The bytes of an input that decides a shape, or are packed. kLater, which infer and prepare hand
  // on, where it is no constant: they are called again then while running, when all inputs are
  // known.
  Result<Span<const uint8_t>> known(size_t i) const;
  // The same for signed integers: of a constant, or known while running.
  Result<std::vector<int64_t>> constant_integers(size_t i) const;
  Status expect_known(size_t i) const { return known(i).status(); }
  // The session's variables and tables; kLater before running.
  Result<const Resources*> resources() const;
  // Bit i: known() has told the bytes of input i, which is no constant (i < 64).
  uint64_t asked() const { return asked_; }
  // An axis in [-rank, rank) made non-negative.
  static Result<int> normalize_axis(int64_t axis, int rank);

 private:
  const Graph& graph_;
  const Node& node_;
  const Resources* resources_;
  mutable uint64_t asked_ = 0;
};

// Tensors that lie one behind the other in the bytes of another one, whole: memory planning may put
// them there, and eval finds that it has nothing to copy.
struct Pieces {
  enum Kind : uint8_t { kNone, kInputs, kOutputs } kind = kNone;
  size_t whole = 0;  // the output that the inputs are pieces of, or the input of the outputs
};

// Rows [first, last) of a picture, of which there may be more elsewhere; `data` is where the first
// of them begins.
struct Rows {
  const uint8_t* data;
  int first, last;
};

// What it takes to compute one row of output 0 from rows of input 0; both are pictures, NHWC.
struct RowWork {
  WindowAxis axis;      // which rows of the input each row of the output looks at
  size_t width = 0;     // pixels of an output row
  size_t together = 1;  // output pixels that are as cheap as one of them: a tile of the kernel
};

// What prepare() decides: everything that eval needs and that does not change from run to run.
class PrepareContext : public OpView {
 public:
  PrepareContext(const Graph& graph, const Node& node, const Resources* resources = nullptr)
      : OpView(graph, node, resources) {}

  template <typename T>
  T& make_state() {
    auto s = std::make_shared<T>();
    T& ref = *s;
    state = std::move(s);
    return ref;
  }

  // The kernel that the plan's options name for this node, where it is one of the family's, runs on
  // `features` and `fits(kernel)`; otherwise `best`, the family's own choice. The results are the
  // same, or for floats as close, whichever it is. Sets `kernel` and `candidates`.
  template <typename Kernel, typename Fits>
  const Kernel& choose(const Kernel& best, const Kernel* (*family)(size_t*), Features features,
                       Fits fits) {
    size_t count;
    const Kernel* all = family(&count);
    const Kernel* chosen = &best;
    for (size_t i = 0; i < count; ++i) {
      if ((all[i].needs & ~features) != 0 || !fits(all[i])) continue;
      candidates.push_back(all[i].name);
      if (wanted == all[i].name) chosen = &all[i];
    }
    kernel = chosen->name;
    return *chosen;
  }
  template <typename Kernel>
  const Kernel& choose(const Kernel& best, const Kernel* (*family)(size_t*), Features features) {
    return choose(best, family, features, [](const Kernel&) { return true; });
  }

  std::string wanted;  // name of the kernel to use, or empty

  std::shared_ptr<const void> state;
  std::string kernel;                   // name of the kernel chosen; empty for plain C++
  std::vector<const char*> candidates;  // kernels that could have been chosen
  RowWork rows;                         // of an op that has eval_rows
  size_t scratch_per_worker = 0;        // bytes
  size_t scratch_shared = 0;            // bytes that all workers see
  size_t packed_bytes = 0;              // of weights that this step owns
  size_t kept_bytes = 0;                // that each session keeps from run to run, zeros at first
  Pieces pieces;
};

// Memory for outputs of which eval alone knows how many bytes they have.
class Room {
 public:
  virtual uint8_t* of(size_t output, size_t bytes) = 0;

 protected:
  ~Room() = default;
};

// What a step works with besides its inputs and outputs.
struct StepMemory {
  uint8_t* scratch;  // [workers][scratch_per_worker]
  size_t scratch_per_worker;
  uint8_t* shared;  // scratch memory that all workers see
  uint8_t* kept;    // what the step keeps from run to run
  Resources* resources = nullptr;
  Room* room = nullptr;
};

class EvalContext {
 public:
  EvalContext(const void* state, uint8_t* const* inputs, uint8_t* const* outputs, ThreadPool* pool,
              const StepMemory& memory, Status* status)
      : state_(state),
        inputs_(inputs),
        outputs_(outputs),
        pool_(pool),
        memory_(memory),
        status_(status) {}

  template <typename T>
  const T& state() const {
    return *static_cast<const T*>(state_);
  }
  template <typename T>
  const T* in(size_t i) const {
    return reinterpret_cast<const T*>(inputs_[i]);  // nullptr where absent
  }
  // Input i where it is a variable, which keeps what is written to it until the next run.
  template <typename T>
  T* variable(size_t i) const {
    return reinterpret_cast<T*>(inputs_[i]);
  }
  template <typename T>
  T* out(size_t i) const {
    return reinterpret_cast<T*>(outputs_[i]);
  }
  ThreadPool& pool() const { return *pool_; }
  uint8_t* scratch(int worker) const {
    return memory_.scratch + static_cast<size_t>(worker) * memory_.scratch_per_worker;
  }
  uint8_t* shared_scratch() const { return memory_.shared; }
  // The step's own memory in this session, aligned for any type.
  template <typename T>
  T* kept() const {
    return reinterpret_cast<T*>(memory_.kept);
  }
  // What the sessions of one interpreter share from run to run; for ops that are `stateful`.
  Resources& resources() const { return *memory_.resources; }
  // For an output of strings, once: memory of so many bytes; nullptr where there is none.
  uint8_t* room(size_t i, size_t bytes) const { return memory_.room->of(i, bytes); }
  // For what only the data can do wrong, such as an index outside of a table: the run ends with
  // this error. Called by eval's own thread; the first one counts.
  void fail(Status status) const {
    if (status_->ok()) *status_ = std::move(status);
  }

 private:
  const void* state_;
  uint8_t* const* inputs_;
  uint8_t* const* outputs_;
  ThreadPool* pool_;
  StepMemory memory_;
  Status* status_;
};

struct OpDef {
  // Arity, attributes and types: all that can be refused before shapes are known.
  // kUnsupported: another backend may run it; kInvalidModel: nobody should.
  Status (*check)(const OpView& op);
  // Output shapes, one per output, from input shapes and constant inputs.
  Status (*infer)(const OpView& op, std::vector<Shape>* shapes);
  // Shapes of inputs and outputs are final.
  Status (*prepare)(PrepareContext& op);
  void (*eval)(const EvalContext& run);
  // Multiply-accumulates of one run; null where there are none to speak of.
  int64_t (*macs)(const OpView& op) = nullptr;
  // Output 0 has the bytes of input 0: memory planning lets both share one place.
  bool alias = false;
  // eval reads the shapes that prepare saw, never an input's bytes.
  bool shape_only = false;
  // eval writes element i of output 0 after it has read element i of each input of as many bytes,
  // and reads that no more: the output may take such an input's place.
  bool in_place = false;
  // Computes rows [first, last) of one picture of output 0, whose first row begins at `out`, on the
  // calling thread, from those rows of input 0 that they look at: `in` holds these at least, with
  // kOverread bytes behind. Null where the op cannot, otherwise prepare() sets `rows`.
  void (*eval_rows)(const void* state, const Rows& in, int first, int last, uint8_t* out,
                    uint8_t* scratch) = nullptr;
  // eval gives something else each time, so that it must not run ahead of time.
  bool random = false;
  // In infer's place where the outputs' types may be others than the file's, which `types` holds.
  Status (*infer_typed)(const OpView& op, std::vector<Shape>* shapes,
                        std::vector<DType>* types) = nullptr;
  // Runs other graphs of the model: the runtime does that, and there is neither infer nor eval.
  bool calls = false;
  // Has effects or results besides its outputs and inputs: is never run before its time.
  bool stateful = false;
};

// nullptr where neither this build nor the program (user_op.h) has such an op.
const OpDef* find_op(const Node& node);

// Why a node without an op cannot run, and what to do.
std::string why_missing(const Node& node);

// "CONV_2D" ... in the order of ops.inc.
std::vector<std::string> op_names();

// Runs one node whose inputs are all constants (or whose OpDef is shape_only): the bytes of each
// output.
Result<std::vector<std::shared_ptr<std::vector<uint8_t>>>> evaluate(const Graph& graph,
                                                                    const Node& node);

}  // namespace edge
