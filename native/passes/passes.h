// Graph rewrites. Each keeps every bit of the outputs; its equation stands above its function.
#pragma once

#include <map>

#include "graph/graph.h"

namespace edge {

// Shapes of all values from the inputs' shapes, node by node; nodes whose inputs are known are run
// and their outputs become constants, since shapes further on may depend on them.
Status infer_shapes(Graph* graph);

// Puts what is called in the place of calls: the nodes of composites, and variables for what
// handles name, with the values that CALL_ONCE gives them. Comes before all other passes.
Status resolve_calls(const Model& model, Graph* graph);

Status fuse_activations(Graph* graph);
Status fuse_pads(Graph* graph);
Status remove_noops(Graph* graph);
Status widen_depthwise(Graph* graph);

// The ordered list. `preserve_all` keeps every value, for callers who look at all tensors: only
// what is known before running is folded, since other ops may need it so.
Status run_passes(Graph* graph, bool preserve_all);

// Helpers of the passes.

// For each value, the nodes that read it; a node that reads it twice is there twice.
std::vector<std::vector<int>> readers_of(const Graph& graph);
// For each value, whether it is an output of the graph.
std::vector<char> output_flags(const Graph& graph);
// Erases the nodes whose flag is set.
void erase_nodes(Graph* graph, const std::vector<char>& dead);

}  // namespace edge
