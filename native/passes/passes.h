// Graph rewrites. Each keeps every bit of the outputs; its equation stands above its function.
#pragma once

#include <functional>

#include "graph/graph.h"

namespace edge {

// What a node that calls other graphs gives, and how (Node::callees).
using InferCall = std::function<Status(const Graph& graph, Node* node, std::vector<Shape>* shapes)>;

// Puts the decompositions of STABLEHLO_COMPOSITE nodes in their place, up to so many values in all.
Status inline_composites(const std::vector<Graph>& graphs, int64_t limit, Graph* graph);

// Sets Node::fixed of the nodes that read variables whose shape cannot change.
void fix_variables(const std::vector<Graph>& graphs, Graph* graph);

// Shapes of all values from the inputs' shapes, node by node; nodes whose inputs are known are run
// and their outputs become constants, since shapes further on may depend on them. Where a shape
// depends on data, the value and all that follow from it are left open.
Status infer_shapes(Graph* graph, const InferCall& call = {});

// Casts around ops of float16 and bfloat16 that are ops of float32 here: what each gives is
// rounded, as if it computed with such numbers. Comes before shapes are inferred, which checks the
// ops.
Status widen_halves(Graph* graph);

Status fuse_activations(Graph* graph);
Status fuse_pads(Graph* graph);
Status remove_noops(Graph* graph);
Status widen_depthwise(Graph* graph);

// The ordered list. `preserve_all` keeps every value, for callers who look at all tensors: only
// what is known before running is folded, since other ops may need it so.
Status run_passes(Graph* graph, bool preserve_all, const InferCall& call = {});

// Helpers of the passes.

// For each value, the nodes that read it; a node that reads it twice is there twice.
std::vector<std::vector<int>> readers_of(const Graph& graph);
// For each value, whether it is an output of the graph.
std::vector<char> output_flags(const Graph& graph);
// Erases the nodes whose flag is set.
void erase_nodes(Graph* graph, const std::vector<char>& dead);

}  // namespace edge
