#include "runtime/open_steps.h"

#include <algorithm>
#include <cstring>

namespace edge {

// What prepare() gave, and what it saw.
struct OpenSteps::Prepared {
  std::vector<Shape> shapes;  // of all inputs, then of all outputs
  std::vector<DType> types;
  std::vector<std::pair<int, std::vector<uint8_t>>> asked;  // values whose bytes it looked at
  std::shared_ptr<const void> state;
  size_t scratch_per_worker = 0;
  Arena kept;
  Arena constant;  // a copy of input 0 with room to read on behind it, as kernels do
};

// Gives outputs of strings their memory.
class OpenSteps::Strings : public Room {
 public:
  Strings(OpenSteps& steps, const Step& step) : steps_(steps), step_(step) {}
  uint8_t* of(size_t output, size_t bytes) override {
    const int value = step_.outputs[output];
    const auto data = steps_.resize(value, steps_.value(value).spec.shape, bytes);
    return data.ok() ? *data : nullptr;
  }

 private:
  OpenSteps& steps_;
  const Step& step_;
};

OpenSteps::OpenSteps(const Plan& plan, int threads, std::shared_ptr<Budget> budget)
    : plan_(plan),
      threads_(static_cast<size_t>(threads)),
      chunks_(plan.graph().values.size()),
      free_(budget),
      last_read_(plan.steps().size()),
      budget_(std::move(budget)) {
  graph_.values = plan.graph().values;
  prepared_.resize(plan.steps().size());
  std::vector<int> last(graph_.values.size(), kAbsent);
  for (size_t n = 0; n < plan.steps().size(); ++n) {
    for (const std::vector<int>* values : {&plan.steps()[n].inputs, &plan.steps()[n].outputs}) {
      for (int i : *values) {
        if (i != kAbsent) last[static_cast<size_t>(i)] = static_cast<int>(n);
      }
    }
  }
  // The caller's are kept.
  for (int i : plan.graph().inputs) last[static_cast<size_t>(i)] = kAbsent;
  for (int o : plan.graph().outputs) last[static_cast<size_t>(o)] = kAbsent;
  for (size_t i = 0; i < last.size() && !plan.preserve_all(); ++i) {
    if (last[i] == kAbsent || !graph_.values[i].open) continue;
    last_read_[static_cast<size_t>(last[i])].push_back(static_cast<int>(i));
  }
}

void OpenSteps::fix(int value, Span<const uint8_t> data) {
  Value& v = graph_.values[static_cast<size_t>(value)];
  if (!v.constant) v.data = data;
}

uint8_t* OpenSteps::data(int value) const {
  const auto& chunk = chunks_[static_cast<size_t>(value)];
  return chunk ? chunk->data() : nullptr;
}

Result<uint8_t*> OpenSteps::resize(int value, const Shape& shape, size_t bytes) {
  std::shared_ptr<const Chunk>& chunk = chunks_[static_cast<size_t>(value)];
  Value& v = graph_.values[static_cast<size_t>(value)];
  v.data = {};
  free_.give(std::move(chunk));
  chunk = nullptr;
  EDGE_ASSIGN(auto made, free_.take(bytes));
  uint8_t* data = made->data();
  share(value, shape, std::move(made));
  return data;
}

void OpenSteps::share(int value, const Shape& shape, std::shared_ptr<const Chunk> chunk) {
  Value& v = graph_.values[static_cast<size_t>(value)];
  std::shared_ptr<const Chunk>& mine = chunks_[static_cast<size_t>(value)];
  mine.swap(chunk);
  free_.give(std::move(chunk));
  v.spec.shape = shape;
  const Result<size_t> bytes = byte_size(v.spec.dtype, shape);
  v.data = {mine->data(), v.spec.dtype == DType::kString || !bytes.ok() ? mine->size() : *bytes};
}

void OpenSteps::release(int n) {
  for (int i : last_read_[static_cast<size_t>(n)]) {
    graph_.values[static_cast<size_t>(i)].data = {};
    free_.give(std::move(chunks_[static_cast<size_t>(i)]));
    chunks_[static_cast<size_t>(i)] = nullptr;
  }
}

Status OpenSteps::infer(const Step& step, const Resources& resources) {
  const Node& node = plan_.graph().nodes[step.node];
  std::vector<Shape> shapes(node.outputs.size());
  std::vector<DType> types;
  for (int o : node.outputs) {
    Value& v = graph_.values[static_cast<size_t>(o)];
    const TensorSpec& planned = plan_.graph().values[static_cast<size_t>(o)].spec;
    if (v.open) {
      v.spec.shape = planned.shape;
      v.spec.dtype = planned.dtype;
    }
    types.push_back(planned.dtype);
  }
  const OpView op(graph_, node, &resources);
  EDGE_TRY(step.def->infer_typed ? step.def->infer_typed(op, &shapes, &types)
                                 : step.def->infer(op, &shapes));
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    Value& v = graph_.values[static_cast<size_t>(node.outputs[i])];
    if (!v.open && (v.spec.shape != shapes[i] || v.spec.dtype != types[i])) {
      return internal_error("its output has not the shape that was planned");
    }
    EDGE_TRY(byte_size(types[i], shapes[i]).status());
    v.spec.shape = shapes[i];
    v.spec.dtype = types[i];
  }
  return {};
}

Status OpenSteps::grow(const PrepareContext& context) {
  const Bytes scratch = Bytes(align_up(context.scratch_per_worker)) * threads_;
  const auto fit = [&](size_t bytes, std::shared_ptr<Chunk>* chunk) -> Status {
    if (*chunk && (*chunk)->size() >= bytes) return {};
    free_.give(std::move(*chunk));
    *chunk = nullptr;
    EDGE_ASSIGN(*chunk, free_.take(bytes));
    return {};
  };
  EDGE_TRY(fit(scratch.count(), &scratch_));
  return fit(context.scratch_shared, &shared_);
}

Result<OpenSteps::Prepared*> OpenSteps::prepare(const Step& step, const Resources& resources) {
  const Node& node = plan_.graph().nodes[step.node];
  std::vector<Shape> shapes;
  std::vector<DType> types;
  for (const std::vector<int>* values : {&node.inputs, &node.outputs}) {
    for (int i : *values) {
      shapes.push_back(i == kAbsent ? Shape() : value(i).spec.shape);
      types.push_back(i == kAbsent ? DType::kFloat32 : value(i).spec.dtype);
    }
  }
  if (prepared_.empty()) prepared_.resize(plan_.steps().size());
  auto& slot = prepared_[static_cast<size_t>(&step - plan_.steps().data())];
  if (slot && slot->shapes == shapes && slot->types == types &&
      std::all_of(slot->asked.begin(), slot->asked.end(), [&](const auto& a) {
        const Span<const uint8_t> now = value(a.first).data;
        return std::equal(a.second.begin(), a.second.end(), now.begin(), now.end());
      })) {
    return slot.get();
  }
  const std::shared_ptr<Prepared> before = std::move(slot);
  auto made = std::make_shared<Prepared>();
  PrepareContext context(graph_, node, &resources);
  EDGE_TRY(step.def->check(context));
  EDGE_TRY(step.def->prepare(context));
  EDGE_TRY(grow(context));
  for (size_t i = 0; i < node.inputs.size() && i < 64; ++i) {
    if (!(context.asked() >> i & 1)) continue;
    const Span<const uint8_t> now = value(node.inputs[i]).data;
    made->asked.emplace_back(node.inputs[i], std::vector<uint8_t>(now.begin(), now.end()));
  }
  made->shapes = std::move(shapes);
  made->types = std::move(types);
  made->state = std::move(context.state);
  made->scratch_per_worker = align_up(context.scratch_per_worker);
  // What a step keeps from run to run outlives a change of its weights.
  if (before && before->kept.size() == context.kept_bytes) {
    made->kept = std::move(before->kept);
  } else {
    made->kept = Arena(context.kept_bytes);
  }
  const int first = node.input(0);
  if (!context.kernel.empty() && first != kAbsent && value(first).constant) {
    const Span<const uint8_t> data = value(first).data;
    made->constant = Arena(data.size());
    if (made->constant.data()) std::copy(data.begin(), data.end(), made->constant.data());
  }
  if (!made->kept.data() || (made->constant.size() && !made->constant.data())) {
    return Status(Code::kResource, "no memory for what it keeps");
  }
  slot = std::move(made);
  return slot.get();
}

// Gives one value the bytes of another one.
Status OpenSteps::rename(int from, int to) {
  const Shape shape = value(to).spec.shape;
  if (chunk(from)) {
    share(to, shape, chunk(from));
    return {};
  }
  const Span<const uint8_t> data = value(from).data;
  EDGE_ASSIGN(uint8_t* copy, resize(to, shape, data.size()));
  std::copy(data.begin(), data.end(), copy);
  return {};
}

Status OpenSteps::run(const Step& step, ThreadPool& pool, Resources& resources) {
  const Node& node = plan_.graph().nodes[step.node];
  Status status = infer(step, resources);
  Prepared* prepared = nullptr;
  if (status.ok()) {
    const auto made = prepare(step, resources);
    status = made.status();
    if (made.ok()) prepared = *made;
  }
  // It is not the file that is to blame for what the data ask for.
  if (status.code() == Code::kInvalidModel) status = invalid_argument(status.message());
  if (status.code() == Code::kLater) status = internal_error(status.message());
  EDGE_TRY(status);
  std::vector<uint8_t*> inputs, outputs;
  for (int i : node.inputs) {
    inputs.push_back(i == kAbsent ? nullptr : const_cast<uint8_t*>(value(i).data.data()));
  }
  if (prepared->constant.data()) inputs[0] = prepared->constant.data();
  for (int o : node.outputs) {
    const TensorSpec spec = value(o).spec;
    EDGE_ASSIGN(const size_t bytes, byte_size(spec.dtype, spec.shape));
    if (!value(o).open) {
      outputs.push_back(const_cast<uint8_t*>(value(o).data.data()));
    } else if (step.def->alias) {
      return rename(node.inputs[0], o);
    } else if (spec.dtype == DType::kString) {
      outputs.push_back(nullptr);
    } else {
      EDGE_ASSIGN(uint8_t* data, resize(o, spec.shape, bytes));
      outputs.push_back(data);
    }
  }
  Strings room(*this, step);
  step.def->eval(EvalContext(prepared->state.get(), inputs.data(), outputs.data(), &pool,
                             {scratch_->data(), prepared->scratch_per_worker, shared_->data(),
                              prepared->kept.data(), &resources, &room},
                             &status));
  return status;
}

}  // namespace edge
