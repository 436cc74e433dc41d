"""What a hostile file can ask of an op, one thing at a time: each is an error in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from builders import GraphBuilder

from .child import outcome
from .one_op import F32, i, model, zeros

X = ((4, 6), "float32")
I4 = ((4,), "int32")
PICTURE = ((2, 4, 4, 3), "float32")

REFUSED: dict[str, tuple[str, bytes]] = {}


def bad(
    name: str, op: str, inputs: Sequence[Any], outputs: Sequence[str] = ("float32",), **options: Any
) -> None:
    REFUSED[name] = op, model(op, inputs, outputs, **options)


# indices, axes and segment numbers outside of what they index
bad("scatter beyond", "SCATTER_ND", [i([[9]]), zeros(1), i([4])])
bad("scatter negative", "SCATTER_ND", [i([[-1]]), zeros(1), i([4])])
bad("scatter deep", "SCATTER_ND", [i([[0, 0, 0]]), zeros(1), i([4])])
bad("scatter updates", "SCATTER_ND", [((1, 1), "int32"), ((2, 7), "float32"), i([4, 7])])
bad("scatter extent", "SCATTER_ND", [((1, 1), "int32"), ((1,), "float32"), i([-4])])
bad("sparse beyond", "SPARSE_TO_DENSE", [i([7]), i([4]), zeros(1), zeros()])
bad("sparse negative", "SPARSE_TO_DENSE", [i([-1]), i([4]), zeros(1), zeros()])
bad("sparse values", "SPARSE_TO_DENSE", [((3,), "int32"), i([4]), zeros(2), zeros()])
bad("segments unsorted", "SEGMENT_SUM", [X, i([0, 1, 0, 1])])
bad("segments negative", "SEGMENT_SUM", [X, i([-1, 0, 0, 1])])
bad("segments gap", "SEGMENT_SUM", [X, i([0, 0, 2, 3])])
bad("segments overflow", "SEGMENT_SUM", [X, i([0, 2**31 - 1, 0, 0])])
bad("segments count", "SEGMENT_SUM", [X, i([0, 0, 0])])
bad("segment beyond", "UNSORTED_SEGMENT_SUM", [zeros(2), i([0, 5]), i(2)])
bad("segment prefix", "UNSORTED_SEGMENT_MAX", [X, ((5,), "int32"), i(2)])
bad("negative segments", "UNSORTED_SEGMENT_MIN", [X, I4, i(-2)])
bad("segments of all memory", "UNSORTED_SEGMENT_PROD", [X, I4, i(2**31 - 1)])
bad("reverse axis", "REVERSE_V2", [X, i([2])])
bad("reverse twice", "REVERSE_V2", [X, i([1, -1])])
bad("sequence axis", "REVERSE_SEQUENCE", [X, I4], seqDim=2, batchDim=0)
bad("sequence axis below", "REVERSE_SEQUENCE", [X, I4], seqDim=1, batchDim=-1)
bad("sequence one axis", "REVERSE_SEQUENCE", [X, I4], seqDim=0, batchDim=0)
bad("sequence lengths", "REVERSE_SEQUENCE", [X, ((5,), "int32")], seqDim=1, batchDim=0)
bad("sequence too long", "REVERSE_SEQUENCE", [zeros(1, 3), i([4])], seqDim=1)
bad("sequence negative", "REVERSE_SEQUENCE", [zeros(1, 3), i([-4])], seqDim=1)
bad("cumsum axis", "CUMSUM", [X, i(-3)])
bad("one hot axis", "ONE_HOT", [I4, i(3), zeros(), zeros()], axis=2)
bad("one hot axis below", "ONE_HOT", [I4, i(3), zeros(), zeros()], axis=-2)
bad("one hot depth", "ONE_HOT", [I4, i(-3), zeros(), zeros()])
bad("one hot no value", "ONE_HOT", [I4, i(3), zeros(0), zeros()])
bad("topk more", "TOPK_V2", [X, i(7)], ["float32", "int32"])
bad("topk scalar", "TOPK_V2", [((), "float32"), i(1)], ["float32", "int32"])
bad("topk no k", "TOPK_V2", [X, i([])], ["float32", "int32"])
bad("topk indices", "TOPK_V2", [((40000,), "float32"), i(1)], ["float32", "int16"])
# shapes that do not fit each other
bad("compare", "EQUAL", [X, ((5, 6), "float32")], ["bool"])
bad("compare types", "LESS", [X, ((4, 6), "int32")], ["bool"])
bad("compare to numbers", "LESS", [X, X])
bad("order of bools", "LESS", [((2,), "bool"), ((2,), "bool")], ["bool"])
bad("select", "SELECT", [((5,), "bool"), X, X])
bad("select types", "SELECT_V2", [((6,), "bool"), X, ((4, 6), "int32")])
bad("select broadcast", "SELECT_V2", [((5,), "bool"), X, X])
bad("sum of others", "ADD_N", [X, ((6, 4), "float32")])
bad("sum of one", "ADD_N", [X])
bad("update larger", "DYNAMIC_UPDATE_SLICE", [X, ((5, 6), "float32"), ((2,), "int32")])
bad("update rank", "DYNAMIC_UPDATE_SLICE", [X, ((5,), "float32"), ((2,), "int32")])
bad("update starts", "DYNAMIC_UPDATE_SLICE", [X, X, ((1,), "int32")])
bad("diagonal short", "MATRIX_SET_DIAG", [X, ((3,), "float32")])
bad("diagonal of a vector", "MATRIX_SET_DIAG", [((4,), "float32"), ((4,), "float32")])
bad("diagonal of a scalar", "MATRIX_DIAG", [((), "float32")])
bad("bits", "BITCAST", [((4, 3), "int8")], ["int32"])
bad("bits of a scalar", "BITCAST", [((), "int8")], ["int32"])
bad("extents", "BROADCAST_ARGS", [i([2]), i([3])], ["int32"])
bad(
    "boxes",
    "NON_MAX_SUPPRESSION_V4",
    [((5, 3), "float32"), ((5,), "float32"), i(2), zeros(), zeros()],
    ["int32", "int32"],
)
bad(
    "scores",
    "NON_MAX_SUPPRESSION_V4",
    [((5, 4), "float32"), ((6,), "float32"), i(2), zeros(), zeros()],
    ["int32", "int32"],
)
bad(
    "boxes kept",
    "NON_MAX_SUPPRESSION_V4",
    [((5, 4), "float32"), ((5,), "float32"), i(-2), zeros(), zeros()],
    ["int32", "int32"],
)
bad(
    "sigma",
    "NON_MAX_SUPPRESSION_V5",
    [((5, 4), "float32"), ((5,), "float32"), i(2), zeros(), zeros(), np.array(-1, F32)],
    ["int32", "float32", "int32"],
)
bad("classes", "MULTINOMIAL", [((3, 0), "float32"), i(2)], ["int64"], seed=1)
bad("samples", "MULTINOMIAL", [((3, 2), "float32"), i(-2)], ["int64"], seed=1)
# zero or negative sizes, and sizes beyond all memory
bad("block of 0", "SPACE_TO_BATCH_ND", [PICTURE, i([0, 2]), i([[0, 0], [0, 0]])])
bad("negative block", "BATCH_TO_SPACE_ND", [PICTURE, i([-1, -2]), i([[0, 0], [0, 0]])])
bad("block that does not divide", "SPACE_TO_BATCH_ND", [PICTURE, i([3, 2]), i([[0, 0], [0, 0]])])
bad("batches that do not divide", "BATCH_TO_SPACE_ND", [PICTURE, i([3, 2]), i([[0, 0], [0, 0]])])
bad("crops", "BATCH_TO_SPACE_ND", [PICTURE, i([1, 2]), i([[5, 0], [0, 0]])])
bad("negative crops", "BATCH_TO_SPACE_ND", [PICTURE, i([1, 2]), i([[-5, 0], [0, 0]])])
bad("one block", "SPACE_TO_BATCH_ND", [PICTURE, i([2]), i([[0, 0], [0, 0]])])
bad("batches overflow", "SPACE_TO_BATCH_ND", [PICTURE, i([2**30, 2**30]), i([[2**30 - 2] * 2] * 2)])
bad("mirror too wide", "MIRROR_PAD", [X, i([[4, 0], [0, 0]])], mode="REFLECT")
bad("mirror negative", "MIRROR_PAD", [X, i([[-1, 0], [0, 0]])], mode="SYMMETRIC")
bad("mirror of nothing", "MIRROR_PAD", [((0, 6), "float32"), i([[1, 0], [0, 0]])], mode="REFLECT")
bad("mirror shape", "MIRROR_PAD", [X, i([[0, 0, 0]] * 2)])
bad("range of step 0", "RANGE", [i(v) for v in (0, 5, 0)], ["int32"])
bad("range away", "RANGE", [i(v) for v in (0, 5, -1)], ["int32"])
bad("range without end", "RANGE", [np.array(v, np.int64) for v in (-(2**63), 2**63 - 1, 1)], ["int64"])
bad("range to infinity", "RANGE", [np.array(v, F32) for v in (0, np.inf, 1)])
bad("range of no number", "RANGE", [np.array(v, F32) for v in (0, np.nan, 1)])
bad("power", "POW", [i([2]), i([-1])], ["int32"])
bad("window of 0", "L2_POOL_2D", [PICTURE], strideH=1, strideW=1, filterHeight=0, filterWidth=1)
bad("stride of 0", "L2_POOL_2D", [PICTURE], strideH=0, strideW=1, filterHeight=1, filterWidth=1)
bad("no bits", "FAKE_QUANT", [X], min=-1.0, max=1.0, numBits=0)
bad("many bits", "FAKE_QUANT", [X], min=-1.0, max=1.0, numBits=40)
bad("empty range", "FAKE_QUANT", [X], min=0.0, max=0.0, numBits=8)
bad("boundaries", "BUCKETIZE", [X], ["int32"], boundaries=[1.0, 0.0])
bad("random extent", "RANDOM_UNIFORM", [i([-3])], seed=1)
bad("random size", "RANDOM_STANDARD_NORMAL", [i([2**30, 2**30])], seed=1)
bad("scalar rows", "LOG_SOFTMAX", [((), "float32")])
bad("where of a scalar", "WHERE", [np.array(True)], ["int64"])
bad("unique of a matrix", "UNIQUE", [i([[0, 0], [0, 0]])], ["int32", "int32"], idxOutType="int32")


# recurrent layers: weights, biases and states of other sizes
W, STATE = zeros(5, 6), ((4, 5), "float32")
bad("recurrent weights", "RNN", [X, W, zeros(5, 4), zeros(5), STATE])
bad("recurrent biases", "RNN", [X, W, zeros(5, 5), zeros(4), STATE])
bad("recurrent state is an input", "RNN", [X, W, zeros(5, 5), zeros(5), STATE])
bad("recurrent without units", "RNN", [X, zeros(0, 6), zeros(0, 0), zeros(0), STATE])
bad("a step is no sequence", "UNIDIRECTIONAL_SEQUENCE_RNN", [X, W, zeros(5, 5), zeros(5), STATE])
bad("one way only", "BIDIRECTIONAL_SEQUENCE_RNN", [((1, 4, 6), "float32")] * 9, ["float32"] * 2)
bad("basic weights", "LSTM", [X, STATE, zeros(20, 10), zeros(20), STATE], ["float32"] * 4, kernelType="BASIC")
bad("basic outputs", "LSTM", [X, STATE, zeros(20, 11), zeros(20), STATE], kernelType="BASIC")
# volumes
CUBE = ((1, 4, 4, 4, 2), "float32")
ONES = {"strideD": 1, "strideH": 1, "strideW": 1}
bad("volume filter", "CONV_3D", [CUBE, zeros(1, 1, 1, 3, 1)], **ONES)
bad("volume stride of 0", "CONV_3D", [CUBE, zeros(1, 1, 1, 2, 1)])
bad("volume window", "CONV_3D", [CUBE, zeros(5, 1, 1, 2, 1)], padding="VALID", **ONES)
bad("volume biases", "CONV_3D", [CUBE, zeros(1, 1, 1, 2, 3), zeros(2)], **ONES)
bad("volume dilation", "CONV_3D", [CUBE, zeros(2, 1, 1, 2, 1)], dilationDFactor=-1, **ONES)
bad("volume extents", "CONV_3D_TRANSPOSE", [i([1, 4, 4, 5, 1]), zeros(1, 1, 1, 1, 2), CUBE], **ONES)
bad("volume extent below 0", "CONV_3D_TRANSPOSE", [i([1, 4, 4, -4, 1]), zeros(1, 1, 1, 1, 2), CUBE], **ONES)
bad("volume rank", "CONV_3D_TRANSPOSE", [i([1, 4, 4, 1]), zeros(1, 1, 1, 1, 2), CUBE], **ONES)
bad(
    "volume of many phases",
    "CONV_3D_TRANSPOSE",
    [i([1, 64, 64, 64, 1]), zeros(1, 1, 1, 1, 2), ((1, 1, 1, 1, 2), "float32")],
    strideD=64, strideH=64, strideW=64,
)  # fmt: skip
# tables
bad("table row", "EMBEDDING_LOOKUP", [i([4]), zeros(4, 2)])
bad("table row below 0", "EMBEDDING_LOOKUP", [i([-1]), zeros(4, 2)])
bad("table of a vector", "EMBEDDING_LOOKUP", [I4, zeros(4)])
bad("codes without a scale", "EMBEDDING_LOOKUP", [I4, np.zeros((4, 2), np.int8)])
bad("sparse row", "EMBEDDING_LOOKUP_SPARSE", [i([4]), i([[0, 0]]), i([1, 1]), zeros(1), zeros(4, 2)])
bad("sparse bucket", "EMBEDDING_LOOKUP_SPARSE", [i([0]), i([[1, 0]]), i([1, 1]), zeros(1), zeros(4, 2)])
bad(
    "sparse bucket below 0",
    "EMBEDDING_LOOKUP_SPARSE",
    [i([0]), i([[-1, 0]]), i([1, 1]), zeros(1), zeros(4, 2)],
)
bad("sparse weights", "EMBEDDING_LOOKUP_SPARSE", [i([0]), i([[0, 0]]), i([1, 1]), zeros(2), zeros(4, 2)])
bad("sparse extent", "EMBEDDING_LOOKUP_SPARSE", [i([0]), i([[0, 0]]), i([-1, 1]), zeros(1), zeros(4, 2)])
bad("keys", "HASHTABLE_LOOKUP", [I4, ((3,), "int32"), X], ["float32", "uint8"])
bad("seeds of many bits", "LSH_PROJECTION", [zeros(1, 33), X], ["int32"], type="SPARSE")
bad("projection of nothing", "LSH_PROJECTION", [zeros(1, 3), zeros(0, 2)], ["int32"], type="DENSE")
bad("weights of items", "LSH_PROJECTION", [zeros(1, 3), X, zeros(3)], ["int32"], type="DENSE")
bad("projection of no type", "LSH_PROJECTION", [zeros(1, 3), X], ["int32"])
bad("dilation of 0", "DILATE", [X, i([0, 1]), zeros()])
bad("dilations", "DILATE", [X, i([1]), zeros()])
bad("dilation of all memory", "DILATE", [X, i([2**31 - 1, 2**31 - 1]), zeros()])
bad("no filler", "DILATE", [X, i([1, 1]), zeros(0)])
L = np.int64
bad("window of no function", "REDUCE_WINDOW", [X, zeros(), *(np.ones(2, L) for _ in range(3))])
for k, what in enumerate(("window", "stride", "dilation")):
    tensors = [np.array([1, 0], L) if j == k else np.ones(2, L) for j in range(3)]
    bad(f"{what} of 0 reduced", "REDUCE_WINDOW", [X, zeros(), *tensors], reduceFunction="ADD")
bad("windows", "REDUCE_WINDOW", [X, zeros(), *(np.ones(3, L) for _ in range(3))], reduceFunction="ADD")


def of_strings(op: str, texts: list[bytes], *constants: Any, **options: Any) -> bytes:
    g = GraphBuilder()
    y = g.tensor((1,), "string")
    inputs = [g.strings(texts, () if op == "FILL" else None), *(g.constant(c) for c in constants)]
    g.op(op, inputs[::-1] if op == "FILL" else inputs, [y], **options)
    return g.build([y])


ALL = {"maxSkipSize": 2**31 - 1, "includeAllNgrams": True}
REFUSED["groups of words"] = "SKIP_GRAM", of_strings("SKIP_GRAM", [b"a " * 64], ngramSize=32, **ALL)
REFUSED["words of no string"] = "SKIP_GRAM", of_strings("SKIP_GRAM", [], ngramSize=1)
REFUSED["words of numbers"] = "SKIP_GRAM", model("SKIP_GRAM", [X], ["string"], ngramSize=1)
REFUSED["strings of all memory"] = "FILL", of_strings("FILL", [b"a"], i([2**15, 2**15]))
REFUSED["strings longer than 2^31"] = "TILE", of_strings("TILE", [b"a" * 3000], i([2**20]))
REFUSED["more strings than there are"] = "SLICE", of_strings("SLICE", [b"a"], i([0]), i([2]))
REFUSED["string beyond"] = "GATHER_ND", of_strings("GATHER_ND", [b"a"], i([[1]]))
REFUSED["order of strings"] = "LESS", model("LESS", [((2,), "string")] * 2, ["bool"])


def case(branches: list[int], dtype: str = "int32", shape: tuple[int, ...] = ()) -> bytes:
    g = GraphBuilder()
    number, x, y = g.input(shape, dtype), g.input((3,), "float32"), g.tensor((3,), "float32")
    g.op("STABLEHLO_CASE", [number, x], [y], branchSubgraphIndices=branches)
    g.outputs(y)
    for results in (1, 1, 0):
        g.subgraph("branch")
        x, y = g.input((3,), "float32"), g.tensor((3,), "float32")
        g.op("NEG", [x], [y])
        g.outputs(*[y][:results])
    return g.build()


REFUSED["no branch"] = "STABLEHLO_CASE", case([])
REFUSED["branch beyond"] = "STABLEHLO_CASE", case([1, 4])
REFUSED["branch below"] = "STABLEHLO_CASE", case([-1, 1])
REFUSED["branch without results"] = "STABLEHLO_CASE", case([1, 3])
REFUSED["half a branch"] = "STABLEHLO_CASE", case([1, 2], "float32")
REFUSED["several branches"] = "STABLEHLO_CASE", case([1, 2], shape=(2,))


def test_a_case_among_branches_runs() -> None:
    assert outcome(case([2, 1, 1])) == "ran"


def test_a_case_that_calls_itself() -> None:
    assert "calls itself" in outcome(case([1, 0]))


@pytest.mark.parametrize("size", [-(2**31), -1, 0, 2**31 - 1])
def test_groups_of_no_words(size: int) -> None:
    assert outcome(of_strings("SKIP_GRAM", [b"a b c"], ngramSize=size, **ALL)) == "ran"


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    op, file = REFUSED[name]
    found = outcome(file)
    assert found.startswith(("ModelError", "InputError")), found
    assert op in found


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_impossible_scales_of_a_comparison(scale: float) -> None:
    g = GraphBuilder()
    x, y = g.input((3,), "int8", scale=0.5), g.input((3,), "int8", scale=scale)
    z = g.tensor((3,), "bool")
    g.op("EQUAL", [x, y], [z])
    assert outcome(g.build([z])).startswith("ModelError")


def test_shapes_of_runtime_values_are_refused() -> None:
    """Until running: the file is not at fault."""
    for op, inputs in (("TOPK_V2", [X, ((), "int32")]), ("RANGE", [((), "int32")] * 3)):
        found = outcome(model(op, inputs, ["float32", "int32"][: 2 if op == "TOPK_V2" else 1]))
        assert not found.startswith("died"), found


@pytest.mark.parametrize("bias", [-(2**63), 2**63 - 1])
@pytest.mark.parametrize("op", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
def test_biases_at_the_ends_of_64_bits(op: str, bias: int) -> None:
    """Sums wrap there; under sanitizers an addition that may not would end the process."""
    g = GraphBuilder()
    dense = op == "FULLY_CONNECTED"
    x = g.input((2, 300) if dense else (1, 4, 5, 3), "int16", scale=0.01)
    shape = {"CONV_2D": (3, 2, 2, 3), "DEPTHWISE_CONV_2D": (1, 2, 2, 3)}.get(op, (3, 300))
    w = g.constant(np.full(shape, 127 if bias > 0 else -127, np.int8), scale=0.01)
    b = g.constant(np.full(3, bias, np.int64), scale=0.0001)
    y = g.tensor((2, 3) if dense else (1, 4, 5, 3), "int16", scale=0.02)
    options = {} if dense else {"padding": "SAME", "strideH": 1, "strideW": 1}
    g.op(op, [x, w, b], [y], **options, **({"depthMultiplier": 1} if op.startswith("D") else {}))
    assert outcome(g.build([y])) == "ran"


@pytest.mark.parametrize("zero_point", [-(2**31), -129, 128, 2**31 - 1])
def test_impossible_zero_point_of_a_memory(zero_point: int) -> None:
    g = GraphBuilder()
    x, y = g.input((1, 6), "int8", scale=0.5), g.tensor((1, 4), "int8", scale=0.5)
    w, t = (g.constant(np.ones(shape, np.int8), scale=0.1) for shape in ((4, 6), (4, 3)))
    memory = g.tensor((1, 12), "int8", scale=0.5, zero_point=zero_point, variable=True)
    g.op("SVDF", [x, w, t, None, memory], [y], rank=1)
    assert outcome(g.build([y])).startswith("ModelError")


def test_extents_beside_a_zero() -> None:
    """Nothing is stored, but no product of other extents fits 64 bits."""
    huge = 2**31 - 1
    for shape in ((0, huge, huge, huge), (huge, huge, huge, 0), (huge, 0, huge)):
        assert outcome(model("ABS", [(shape, "float32")], ["float32"])).startswith("ModelError")
    assert outcome(model("ABS", [((0, 7, 9), "float32")], ["float32"])) == "ran"
