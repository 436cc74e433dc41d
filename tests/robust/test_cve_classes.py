"""The malformed ops that TFLite has a CVE or a report for, built anew: each is an error in words.

Those that concern graphs, calls and sparse constants are in test_cve_graphs.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from .child import outcome
from .one_op import i, model, zeros

X = ((4, 6), "float32")
PICTURE = ((1, 4, 4, 3), "float32")
FILTER = zeros(2, 3, 3, 3)
CELLS = {"padding": "SAME", "strideH": 1, "strideW": 1}
POOL = {**CELLS, "filterHeight": 2, "filterWidth": 2}
CODES = ((1, 4, 4, 3), "int8", 0.5)

REFUSED: dict[str, tuple[str, bytes]] = {}


def bad(name: str, op: str, inputs: Sequence[Any], outputs: Sequence[Any] = ("float32",), **o: Any) -> None:
    """One op; `name` starts with the number of the CVE, or of the report."""
    REFUSED[name] = op, model(op, inputs, outputs, **o)


# Axes and indices outside of what they index.
for axis in (-3, 2, -100000, 2**31 - 1, -(2**31)):
    beside = {-3: -4, 2: 3}.get(axis, axis)  # of a new axis
    bad(f"2020-15207 mean over axis {axis}", "MEAN", [X, i([axis])])
    bad(f"2021-29590 argmin over axis {axis}", "ARG_MIN", [X, i(axis)], ["int32"], outputType="int32")
    bad(f"2021-29603 argmax over axis {axis}", "ARG_MAX", [X, i(axis)], ["int32"], outputType="int32")
    bad(f"2020-15207 concatenation over axis {axis}", "CONCATENATION", [X, X], axis=axis)
    bad(f"2020-15207 split over axis {axis}", "SPLIT", [i(axis), X], ["float32"] * 2, numSplits=2)
    bad(
        f"2021-29606 split_v over axis {axis}",
        "SPLIT_V",
        [X, i([2, 2]), i(axis)],
        ["float32"] * 2,
        numSplits=2,
    )
    bad(f"2020-15207 gather over axis {axis}", "GATHER", [X, i([0])], axis=axis)
    bad(f"2020-15207 pack over axis {beside}", "PACK", [X, X], axis=beside, valuesCount=2)
    bad(f"2020-15207 unpack over axis {axis}", "UNPACK", [X], axis=axis, num=4)
    bad(f"2021-37685 expand_dims at {beside}", "EXPAND_DIMS", [X, i(beside)])
    bad(f"2020-15207 squeeze of axis {axis}", "SQUEEZE", [X], squeezeDims=[axis])
    bad(f"2020-15207 transpose by {axis}", "TRANSPOSE", [X, i([axis, 0])])
for index in (-1, 4, 2**31 - 1, -(2**31)):
    bad(f"2021-37687 gather of row {index}", "GATHER", [zeros(4, 6), i([index])])
    bad(f"2021-37687 gather_nd of row {index}", "GATHER_ND", [zeros(4, 6), i([[index]])])
bad("2020-15212 segment -1", "SEGMENT_SUM", [X, i([-1, 0, 1, 2])])
bad("2020-15213 segments of all memory", "SEGMENT_SUM", [X, i([0, 0, 0, 2**31 - 2])])
bad("2020-15214 segments that are not sorted", "SEGMENT_SUM", [X, i([0, 1, 0, 1])])
# Shapes that do not fit each other.
for op in ("ADD", "MUL", "MAXIMUM", "MINIMUM"):
    bad(f"2020-15208 2021-29590 {op} of shapes that do not suit", op, [X, ((4, 5), "float32")])
    bad(f"2020-15208 2021-29590 {op} of other ranks", op, [X, ((3, 1, 5, 7), "float32")])
bad("2020-15208 2021-29601 parts of other rows", "CONCATENATION", [X, ((5, 6), "float32")], axis=1)
bad("2020-15208 filter of other channels", "CONV_2D", [PICTURE, zeros(2, 3, 3, 4), None], **CELLS)
bad("2020-15208 bias of other channels", "CONV_2D", [PICTURE, FILTER, zeros(5)], **CELLS)
bad("2020-15208 filter of other depth", "FULLY_CONNECTED", [X, zeros(3, 5), None])
bad("2021-29606 sizes that do not add up", "SPLIT_V", [X, i([2, 3]), i(0)], ["float32"] * 2, numSplits=2)
bad("2021-29606 negative sizes", "SPLIT_V", [X, i([-5, 9]), i(0)], ["float32"] * 2, numSplits=2)
bad("2021-29606 more sizes than outputs", "SPLIT_V", [X, i([1, 1, 2]), i(0)], ["float32"] * 2, numSplits=2)
# Divisions by zero.
for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"):
    for zero in ("strideH", "strideW", "filterHeight", "filterWidth"):
        for value in (0, -1, -(2**31)):
            bad(f"2021-29586 {op} with {zero} {value}", op, [PICTURE], **{**POOL, zero: value})
for zero in ("strideH", "strideW", "dilationHFactor", "dilationWFactor"):
    for value in (0, -1, -(2**31)):
        bad(
            f"2021-29585 conv with {zero} {value}",
            "CONV_2D",
            [PICTURE, FILTER, None],
            **{**CELLS, zero: value},
        )
        bad(
            f"2021-29602 depthwise with {zero} {value}", "DEPTHWISE_CONV_2D",
            [PICTURE, zeros(1, 3, 3, 3), None], **{**CELLS, "depthMultiplier": 1, zero: value},
        )  # fmt: skip
bad("2021-29594 no channels", "CONV_2D", [((1, 4, 4, 0), "float32"), zeros(2, 3, 3, 0), None], **CELLS)
bad("2021-29594 filter of no height", "CONV_2D", [PICTURE, zeros(2, 0, 3, 3), None], **CELLS)
bad(
    "2021-29602 no channels", "DEPTHWISE_CONV_2D", [((1, 4, 4, 0), "float32"), zeros(1, 3, 3, 3), None],
    **CELLS, depthMultiplier=0,
)  # fmt: skip
bad(
    "2021-29602 channels that do not divide", "DEPTHWISE_CONV_2D", [PICTURE, zeros(1, 3, 3, 4), None],
    **CELLS, depthMultiplier=1,
)  # fmt: skip
for zero in ("strideH", "strideW"):
    bad(
        f"2021-29588 transposed conv with {zero} 0", "TRANSPOSE_CONV", [i([1, 8, 8, 2]), FILTER, PICTURE],
        **{**CELLS, zero: 0},
    )  # fmt: skip
bad("2021-29589 gather_nd without indices", "GATHER_ND", [zeros(0, 6), ((3, 1), "int32")])
for op in ("SPACE_TO_DEPTH", "DEPTH_TO_SPACE"):
    for value in (0, -1, -(2**31)):
        bad(f"2021-29587 2021-29595 {op} with block {value}", op, [PICTURE], blockSize=value)
bad("2021-29593 batch_to_space with block 0", "BATCH_TO_SPACE_ND", [PICTURE, i([0, 0]), i([[0, 0], [0, 0]])])
bad("2021-29597 space_to_batch with block 0", "SPACE_TO_BATCH_ND", [PICTURE, i([0, 0]), i([[0, 0], [0, 0]])])
for value in (0, -1, 3):
    bad(f"2021-29599 split into {value}", "SPLIT", [i(0), X], ["float32"] * 2, numSplits=value)
bad("2021-37680 no depth", "FULLY_CONNECTED", [((4, 0), "float32"), zeros(3, 0), None])
bad("2021-29598 svdf of rank 0", "SVDF", [X, zeros(4, 6), zeros(4, 3), None, ((4, 12), "float32")], rank=0)
bad("2021-29598 svdf of rank 3", "SVDF", [X, zeros(4, 6), zeros(4, 3), None, ((4, 12), "float32")], rank=3)
bad("2021-37681 svdf without memory", "SVDF", [X, zeros(4, 6), zeros(4, 3), None], rank=1)
bad("2021-37681 svdf with memory that is none", "SVDF", [X, zeros(4, 6), zeros(4, 3), None, X], rank=1)
bad("2021-37681 svdf with memory left out", "SVDF", [X, zeros(4, 6), zeros(4, 3), None, None], rank=1)
# Loops.
bad("2021-37686 step 0", "STRIDED_SLICE", [X, i([0, 0]), i([4, 6]), i([1, 0])])
bad("2021-37686 two ellipses", "STRIDED_SLICE", [X, i([0, 0]), i([4, 6]), i([1, 1])], ellipsisMask=3)
# Sizes that do not fit.
bad("2021-29601 sum of extents", "CONCATENATION", [((2**30, 1), "int8")] * 3, ["int8"], axis=0)
bad("2021-29601 elements", "CONCATENATION", [((2**16, 2**14), "int8")] * 4, ["int8"], axis=1)
for shape in (
    (2**31 - 1,),
    (2**31 - 1, 2**31 - 1),
    (2**16, 2**16),
    (65537, 65537),
    (2**31 - 1, 0, 2**31 - 1),
):
    bad(f"2021-29605 #111458 input of {list(shape)}", "ABS", [(shape, "float32")])
bad("#111637 tile", "TILE", [((65537,), "float32"), i([65536])])
bad("2021-29605 pad", "PAD", [X, i([[2**31 - 1, 2**31 - 1], [0, 0]])])
bad("2021-29605 negative pad", "PAD", [X, i([[-5, 0], [0, 0]])])
bad("2021-29605 fill", "FILL", [i([2**16, 2**16]), zeros()])
bad("2021-29605 negative fill", "FILL", [i([-1]), zeros()])
bad("2021-29605 resize", "RESIZE_BILINEAR", [PICTURE, i([2**31 - 1, 2**31 - 1])])
bad("2021-29605 resize to nothing", "RESIZE_NEAREST_NEIGHBOR", [PICTURE, i([-1, 4])])
bad("2021-29605 broadcast", "BROADCAST_TO", [((1, 1), "float32"), i([2**16, 2**16])])
bad("2021-29585 border", "CONV_2D", [PICTURE, FILTER, None], padding="SAME", strideH=1, strideW=1,
    dilationHFactor=2**31 - 1, dilationWFactor=2**31 - 1)  # fmt: skip
# Null buffers.
bad("2021-29592 reshape to nothing", "RESHAPE", [X, np.zeros(0, np.int32)])
bad("2021-29592 reshape to a matrix", "RESHAPE", [X, i([[4, 6], [1, 1]])])
bad("#124982 reshape to more", "RESHAPE", [X, i([4, 7])])
bad("#124982 reshape to another rank", "RESHAPE", [((1,), "float32"), i([1, 1, 1, 1, 1, 22])])
bad("#124982 reshape to two open axes", "RESHAPE", [X, i([-1, -1])])
bad("2021-37688 norm of nothing", "L2_NORMALIZATION", [None])
bad("2021-37689 norm of a scalar", "L2_NORMALIZATION", [((), "float32")])
bad("2020-15211 conv without a filter", "CONV_2D", [PICTURE, None, None], **CELLS)
bad("2020-15211 add of nothing", "ADD", [X, None])
bad("2020-15211 mean over nothing", "MEAN", [X, None])
bad("2020-15211 too few inputs", "FULLY_CONNECTED", [X])
# Codes without a scale.
for op, inputs, options in (
    ("CONV_2D", [CODES, np.zeros((2, 3, 3, 3), np.int8), None], CELLS),
    ("DEPTHWISE_CONV_2D", [CODES, np.zeros((1, 3, 3, 3), np.int8), None], {**CELLS, "depthMultiplier": 1}),
    ("ADD", [CODES, CODES[:2]], {}),
    ("MUL", [CODES, CODES[:2]], {}),
    ("DEQUANTIZE", [CODES[:2]], {}),
    ("LOGISTIC", [CODES[:2]], {}),
    ("SOFTMAX", [CODES[:2]], {}),
    ("TANH", [CODES[:2]], {}),
    ("L2_NORMALIZATION", [CODES[:2]], {}),
    ("HARD_SWISH", [CODES[:2]], {}),
    ("MEAN", [CODES[:2], i([1, 2])], {}),
):  # fmt: skip
    y = "float32" if op == "DEQUANTIZE" else ((1, 4, 4, 3), "int8", 0.5)
    bad(f"2021-37682 {op} of codes without a scale", op, inputs, [y], **options)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    op, file = REFUSED[name]
    found = outcome(file)
    assert found.startswith(("ModelError", "InputError")), found
    assert op in found or "t0" in found, found


EMPTY = ((0,), "int32")
SURVIVED = {
    "2021-29600 one_hot of nothing": model("ONE_HOT", [EMPTY, i(3), zeros(), zeros()], ["float32"], axis=-1),
    "2021-29596 table of nothing": model("EMBEDDING_LOOKUP", [i([0]), zeros(0, 0)], ["float32"]),
    "2022-23559 table of no rows": model("EMBEDDING_LOOKUP", [i([1]), zeros(0, 2**20)], ["float32"]),
    "2022-23559 row beyond the table": model("EMBEDDING_LOOKUP", [i([-1, 9]), zeros(3, 2)], ["float32"]),
    "2021-29604 hash table of nothing": model(
        "HASHTABLE_LOOKUP", [EMPTY, EMPTY, ((0, 0), "float32")], ["float32", "uint8"]
    ),
    "2021-37691 lsh of nothing": model("LSH_PROJECTION", [zeros(0, 0), EMPTY], ["int32"]),
    "2021-37683 division by 0": model("DIV", [((3,), "int32"), i([0, 0, 0])], ["int32"]),
    "2021-37683 floor_div by 0": model("FLOOR_DIV", [((3,), "int32"), i([0, 0, 0])], ["int32"]),
    "2021-37683 floor_mod by 0": model("FLOOR_MOD", [((3,), "int32"), i([0, 0, 0])], ["int32"]),
    "2021-37683 least by -1": model("DIV", [i([-(2**31)]), i([-1])], ["int32"]),
    "2021-37683 least modulo -1": model("FLOOR_MOD", [i([-(2**31)]), i([-1])], ["int32"]),
    "2021-37684 pool of nothing": model("AVERAGE_POOL_2D", [((0, 0, 0, 0), "float32")], ["float32"], **POOL),
    "2021-37684 filter beyond all": model(
        "MAX_POOL_2D", [PICTURE], ["float32"], **{**POOL, "filterHeight": 2**31 - 1, "filterWidth": 2**31 - 1}
    ),
    "2021-29585 stride beyond all": model(
        "CONV_2D", [PICTURE, FILTER, None], ["float32"], padding="SAME", strideH=2**31 - 1, strideW=2**31 - 1
    ),
    "2021-37686 new axis and ellipsis": model(
        "STRIDED_SLICE",
        [X, i([0, 0, 0]), i([4, 6, 1]), i([1, 1, 1])],
        ["float32"],
        ellipsisMask=1,
        newAxisMask=2,
    ),
    "2021-37688 norm of no channels": model("L2_NORMALIZATION", [((2, 0), "float32")], ["float32"]),
    "2021-29590 minimum of nothing": model("MINIMUM", [((0,), "float32"), ((1,), "float32")], ["float32"]),
    "2021-29590 argmin of nothing": model(
        "ARG_MIN", [((3, 0), "float32"), i(1)], ["int32"], outputType="int32"
    ),
    "2021-37680 matrix of no depth": model(
        "BATCH_MATMUL", [((4, 0), "float32"), ((0, 3), "float32")], ["float32"]
    ),
}


@pytest.mark.parametrize("name", SURVIVED)
def test_survived(name: str) -> None:
    """Where nothing is to be computed, or only the data are at fault, it runs or says why not."""
    found = outcome(SURVIVED[name])
    assert found.startswith(("ran", "planned", "ModelError", "InputError", "UnsupportedOpError")), found
