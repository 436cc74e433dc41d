// The typed graph: what a model computes, without a trace of the file that it came from.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/span.h"
#include "base/status.h"
#include "graph/attributes.h"
#include "graph/types.h"

namespace edge {

#define EDGE_OPCODE(name, number) constexpr int k##name = number;
namespace opcode {
#include "graph/opcodes.inc"
constexpr int kCount = 256;  // codes in a file stay below
}  // namespace opcode
#undef EDGE_OPCODE

// TFLite's name of a builtin operator, or nullptr where the number is unknown.
const char* opcode_name(int opcode);

// One tensor of a graph. Constants point into storage that the Model or the Graph owns.
struct Value {
  TensorSpec spec;
  // The bytes of a constant; of any value where a step that depends on data is prepared.
  Span<const uint8_t> data;
  bool constant = false;
  bool variable = false;  // keeps its bytes from run to run
  bool open = false;      // its shape is known only while running, and the spec's says nothing
};

// Cells of zero (the input's zero point) that a fused PAD puts around a picture.
struct Border {
  int top = 0, bottom = 0, left = 0, right = 0;
  bool any() const { return top || bottom || left || right; }
};

// What a graph that combines two elements does: the opcode of its only node, or these.
constexpr int kSecondOfTwo = -1;  // it has no node
constexpr int kUnknownBody = -2;

constexpr int kAbsent = -1;  // an optional input that is not given

struct Node {
  int opcode = 0;
  std::string custom_name;  // of a CUSTOM op
  int version = 1;
  std::vector<int> inputs, outputs;  // indices into Graph::values; inputs may be kAbsent
  std::vector<int> intermediates;    // values that lend their quantization alone
  Attributes attributes;
  Span<const uint8_t> custom_options;  // a CUSTOM op's own bytes
  Border border;
  int body = kUnknownBody;  // of an op whose options name a graph that combines elements
  std::vector<int> origin;  // the file's node indices that this node stands for
  bool fixed = false;       // nothing that runs gives its outputs other shapes than the file's
  std::shared_ptr<const void> callees;  // of one that calls other graphs: how the runtime runs them

  std::string name() const;  // "CONV_2D" or "CUSTOM:TFLite_Detection_PostProcess"
  int input(size_t i) const { return i < inputs.size() ? inputs[i] : kAbsent; }
};

struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;  // in an order in which they can run
  std::vector<int> inputs, outputs;
  // Bytes of constants that passes computed; values point into them.
  std::vector<std::shared_ptr<std::vector<uint8_t>>> folded;
};

struct Signature {
  std::string key;
  int graph = 0;
  std::map<std::string, int> inputs, outputs;  // name -> index into the graph's values
};

// Everything that a file says. Immutable once read; graphs point into `storage`.
struct Model {
  int version = 0;
  std::string description;
  std::vector<Graph> graphs;  // the first is the main one
  std::vector<Signature> signatures;
  std::map<std::string, Span<const uint8_t>> metadata;
  Span<const uint8_t> file;
  std::shared_ptr<const void> storage;                        // the file's bytes
  bool mapped = false;                                        // from the file system
  std::vector<std::shared_ptr<std::vector<uint8_t>>> copies;  // of misaligned and sparse constants
};

// Checks that indices, types, shapes and sizes of a graph agree. Reads nothing but the graph.
Status verify(const Graph& graph);

// The graphs that a node calls, by IF, STABLEHLO_CASE, WHILE, CALL_ONCE or STABLEHLO_COMPOSITE.
std::vector<int> callees(const Node& node);

// Checks that these exist and that no graph calls itself, be it through others.
Status verify_calls(const std::vector<Graph>& graphs);

// One line a node: "3 CONV_2D(x:int8[1,8,8,4], w, b) -> y:int8[1,8,8,8] stride_w=1 ..."
std::string dump(const Graph& graph);

// The attributes as (name, text) pairs, in the order of attributes.inc.
std::vector<std::pair<std::string, std::string>> describe(const Attributes& attributes);

}  // namespace edge
