#include "ops/user_op.h"

#include <map>
#include <mutex>
#include <utility>

namespace edge {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<const UserOp>> ops;
};

// Never destroyed: what the functions hold may not outlive the program's own clean-up.
Registry& registry() {
  static Registry& only = *new Registry;
  return only;
}

Result<std::shared_ptr<const UserOp>> lookup(const std::string& name) {
  Registry& r = registry();
  const std::lock_guard<std::mutex> lock(r.mutex);
  const auto found = r.ops.find(name);
  if (found == r.ops.end()) return unsupported("its function is registered no longer");
  return found->second;
}

UserNode describe(const OpView& op) {
  UserNode node;
  node.name = op.node().custom_name;
  node.options = op.node().custom_options;
  for (size_t i = 0; i < op.input_count(); ++i) {
    node.inputs.push_back(op.has_input(i) ? op.in(i).spec : TensorSpec());
  }
  for (size_t i = 0; i < op.output_count(); ++i) node.outputs.push_back(op.out(i).spec);
  return node;
}

struct State {
  std::shared_ptr<const UserOp> op;
  UserNode node;
};

Status check(const OpView& op) {
  for (size_t i = 0; i < op.input_count(); ++i) {
    if (!op.has_input(i)) continue;
    const TensorSpec& s = op.in(i).spec;
    if (dtype_size(s.dtype) == 0 || s.dtype == DType::kResource) {
      return unsupported(
          format("its input %zu is %s, which functions cannot be given", i, dtype_name(s.dtype)));
    }
  }
  return {};
}

Status infer(const OpView& op, std::vector<Shape>* shapes, std::vector<DType>* types) {
  EDGE_ASSIGN(const std::shared_ptr<const UserOp> user, lookup(op.node().custom_name));
  const UserNode node = describe(op);
  for (size_t i = 0; i < node.outputs.size(); ++i) (*shapes)[i] = node.outputs[i].shape;
  if (user->infer) EDGE_TRY(user->infer(node, shapes, types));
  if (shapes->size() != node.outputs.size() || types->size() != node.outputs.size()) {
    return internal_error(format("its inference gives %zu shapes for %zu outputs", shapes->size(),
                                 node.outputs.size()));
  }
  for (size_t i = 0; i < types->size(); ++i) {
    if (dtype_size((*types)[i]) == 0) {
      return unsupported(
          format("its output %zu is %s, which functions cannot give", i, dtype_name((*types)[i])));
    }
  }
  return {};
}

Status prepare(PrepareContext& op) {
  State& s = op.make_state<State>();
  EDGE_ASSIGN(s.op, lookup(op.node().custom_name));
  s.node = describe(op);
  return {};
}

void eval(const EvalContext& run) {
  const State& s = run.state<State>();
  Status status = s.op->run(s.node, run);
  if (!status.ok()) run.fail(std::move(status));
}

constexpr OpDef make_def() {
  OpDef def{check, nullptr, prepare, eval};
  def.infer_typed = infer;
  return def;
}
constexpr OpDef kUserOp = make_def();

}  // namespace

Status register_user_op(const std::string& name, UserOp op) {
  if (name.empty()) return invalid_argument("a custom op needs a name");
  if (!op.run) return invalid_argument("a custom op needs a function");
  auto shared = std::make_shared<const UserOp>(std::move(op));
  Registry& r = registry();
  const std::lock_guard<std::mutex> lock(r.mutex);
  r.ops[name].swap(shared);
  return {};
}

bool unregister_user_op(const std::string& name) {
  std::shared_ptr<const UserOp> removed;  // let go of behind the lock
  Registry& r = registry();
  const std::lock_guard<std::mutex> lock(r.mutex);
  const auto found = r.ops.find(name);
  if (found == r.ops.end()) return false;
  removed = std::move(found->second);
  r.ops.erase(found);
  return true;
}

const OpDef* find_user_op(const std::string& name) {
  Registry& r = registry();
  const std::lock_guard<std::mutex> lock(r.mutex);
  return r.ops.count(name) ? &kUserOp : nullptr;
}

}  // namespace edge
