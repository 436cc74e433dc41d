"""Which layer gets which numbers, and litert-quantizer doing it."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from edge_sdk.errors import BackendError, ModelError
from edge_sdk.optimize.graph import OUTPUT_CHANNELS
from edge_sdk.optimize.quantize.dead_channels import mend
from edge_sdk.optimize.quantize.normal_form import NormalForm

STATIC = ("int8", "int16")
MODES = ("int8", "int16", "dynamic", "float16", "int4")
# What a layer can be in a static model, from small to exact.
CHOICES = ("int4", "int8", "int16", "float")
INT4_LAYERS = ("CONV_2D", "FULLY_CONNECTED")

_NAMES = {"TRANSPOSE_CONV": "CONV_2D_TRANSPOSE"}  # litert-quantizer's own names of ops
Ranges = Mapping[str, tuple[float, float]]  # tensor -> smallest and greatest value


def rewrite(
    model: NormalForm,
    mode: str,
    ranges: Ranges | None = None,
    choices: Mapping[int, str] | None = None,
    float_io: bool = False,
) -> bytes:
    """The model, still in normal form, with the numbers of `mode`.

    `choices`: position of an op -> one of `CHOICES`, where it differs from the mode; `ModelError` for one
    that cannot be. Where litert-quantizer fails without them, the kind of op that it fails on stays float,
    and is added to `model.left_float`.
    """
    try:
        return _rewrite(model, mode, ranges, choices, float_io)
    except ModelError:
        if choices:
            raise
    with _without_log():  # it tells of every setting that takes the place of another
        before = model.left_float
        for kind in dict.fromkeys(model.graph.kind(op) for op in model.graph.ops):
            model.left_float = (*before, kind)
            with contextlib.suppress(ModelError):
                return _rewrite(model, mode, ranges, choices, float_io)
        model.left_float = before
        return _rewrite(model, mode, ranges, choices, float_io)  # raises what is wrong


@contextlib.contextmanager
def _without_log() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)


def quantizable(model: NormalForm) -> list[int]:
    """Positions of the ops that litert-quantizer knows and that compute floats."""
    _, recipe = _litert_quantizer()
    graph = model.graph
    known = {name.value for name in recipe.TFLOperationName}
    return [
        position
        for position, op in enumerate(graph.ops)
        if _NAMES.get(graph.kind(op), graph.kind(op)) in known
        and all(graph.type(t) == "FLOAT32" for t in graph.op_outputs(op))
    ]


def _rewrite(
    model: NormalForm, mode: str, ranges: Ranges | None, choices: Mapping[int, str] | None, float_io: bool
) -> bytes:
    quantizer, recipe = _litert_quantizer()
    work = quantizer.Quantizer(bytearray(model.content()))
    operation = recipe.TFLOperationName
    everything = operation.ALL_SUPPORTED
    main = "^g0t"
    if mode in STATIC:
        bits = 8 if mode == "int8" else 16
        work.add_static_config(main, everything, bits, 8)
        work.add_static_config(main, operation.BATCH_MATMUL, bits, 8, _granularity("BATCH_MATMUL"))
    elif mode in ("dynamic", "int4"):
        work.add_dynamic_config(main, everything, 8)
        work.add_dynamic_config(main, operation.BATCH_MATMUL, 8, _granularity("BATCH_MATMUL"))
        for kind in INT4_LAYERS if mode == "int4" else ():
            work.add_dynamic_config(main, operation[kind], 4)
    else:
        for kind in (*OUTPUT_CHANNELS, "EMBEDDING_LOOKUP"):
            _add_float16(work, main, operation[_NAMES.get(kind, kind)])
        for position, op in model.graph.layers():  # codes would be cast as if they were values
            if model.graph.type(model.graph.op_inputs(op)[1]) != "FLOAT32":
                name = operation[_NAMES.get(model.graph.kind(op), model.graph.kind(op))]
                scope = _scope(model, position)
                work.update_quantization_recipe(
                    scope, name, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE
                )
    for position, choice in sorted((choices or {}).items()):
        scope = _scope(model, position)
        kind = model.graph.kind(model.graph.ops[position])
        name = operation[_NAMES.get(kind, kind)]
        if choice == "float":
            work.update_quantization_recipe(scope, name, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE)
        else:
            activation, weight = {"int4": (8, 4), "int8": (8, 8), "int16": (16, 8)}[choice]
            try:
                work.add_static_config(scope, name, activation, weight, _granularity(kind))
            except ValueError as problem:
                raise ModelError(f"litert-quantizer has no {choice} for {kind}") from problem
    for kind in model.left_float:
        with contextlib.suppress(KeyError):  # one that it does not know stays float anyway
            name = operation[_NAMES.get(kind, kind)]
            work.update_quantization_recipe(main, name, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE)
    if float_io or mode not in STATIC:
        for end in (operation.INPUT, operation.OUTPUT):
            work.update_quantization_recipe(main, end, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            # It would run the model to see whether ranges are missing, which fails on ops that LiteRT lacks.
            work._ensure_model_qsv_sufficient = lambda results: None
            made = work.quantize(
                _results(model, ranges), enable_progress_bar=False, enable_progress_report=False
            )
            return mend(bytes(made.quantized_model), model.graph)
    except (ValueError, RuntimeError, KeyError, TypeError, IndexError, AttributeError) as problem:
        raise ModelError(f"litert-quantizer cannot quantize this model: {problem}") from problem


def _scope(model: NormalForm, position: int) -> str:
    """What litert-quantizer calls one op: the names of its outputs."""
    return (
        "^" + ";".join(model.graph.name(t) for t in model.graph.op_outputs(model.graph.ops[position])) + ";"
    )


def _granularity(kind: str) -> str:
    """LiteRT's BATCH_MATMUL reads the first scale of its weights and takes it for all channels."""
    return "TENSORWISE" if kind == "BATCH_MATMUL" else "CHANNELWISE"


def _results(model: NormalForm, ranges: Ranges | None) -> dict[str, Any] | None:
    """Ranges as litert-quantizer's own calibration gives them: arrays of the tensor's rank."""
    if ranges is None:
        return None
    tensors = range(len(model.graph.main.tensors))
    ranks = {model.graph.name(t): len(model.graph.shape(t)) for t in tensors}
    return {
        tensor: {end: np.full((1,) * ranks[tensor], v, np.float32) for end, v in zip(("min", "max"), pair)}
        for tensor, pair in ranges.items()
    }


def _add_float16(work: Any, scope: str, name: Any) -> None:
    from litert_quantizer import qtyping

    half = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    config = qtyping.OpQuantizationConfig(
        weight_tensor_config=half, compute_precision=qtyping.ComputePrecision.FLOAT, explicit_dequantize=True
    )
    work.update_quantization_recipe(scope, name, config, "float_casting")


def _litert_quantizer() -> tuple[Any, Any]:
    try:
        from litert_quantizer import quantizer, recipe
    except ImportError as error:
        raise BackendError(
            f"quantizing needs litert-quantizer, which is not installed ({error}): "
            "pip install 'edge-sdk-runtime[optimize]'"
        ) from error
    return quantizer, recipe
