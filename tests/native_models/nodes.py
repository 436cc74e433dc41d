"""Checks a run of a model node by node: LiteRT's reference kernels, or `expected` for what those lack.

Each node is computed from the values that our runtime gave it, so that an error shows where it is made.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from expected import audio, integers, vision
from flatbuffers import flexbuffers

from edge_sdk.bench.check import TOLERANCE
from edge_sdk.bench.inputs import difference
from edge_sdk.errors import InputError
from edge_sdk.optimize import tflite_file
from edge_sdk.optimize.graph import NO_TENSOR, Graph

Array = np.ndarray[Any, Any]
Values = list[Any]  # one of a node for each input or output; None where there is none
S = tflite_file.schema()


class Nodes:
    """The nodes of a file, which keep their state from one check to the next as the runtime does."""

    def __init__(self, path: Path) -> None:
        self.graph = Graph(tflite_file.read(path))
        tensors = range(len(self.graph.main.tensors))
        self.known = {t: self.graph.constant(t) for t in tensors if self.graph.is_constant(t)}
        self.state: dict[int, Any] = {}  # of a node

    def check(self, runner: Any) -> tuple[int, str]:
        """How many tensors are right after a run, and words about the first that is not."""
        values = {t: runner.read(t) for t in self.graph.inputs}
        right = 0
        for i, op in enumerate(self.graph.ops):
            names = self.graph.op_inputs(op)
            inputs = [self.known.get(t, values.get(t)) for t in names]
            outputs = self.graph.op_outputs(op)
            got = [_kept(runner, t) for t in outputs]
            wanted = self.compute(i, inputs, got)
            constant = all(t in self.known or t == NO_TENSOR for t in names)
            if self.name(op) == "SVDF":
                got.append(runner.read(names[4]).reshape(self.state[i].shape))
                wanted.append(self.state[i])
            for place, (a, b) in enumerate(zip(got, wanted)):
                if a is None and constant:
                    continue  # computed once, at load
                words = "it is not kept" if a is None else _different(a, np.asarray(b))
                if words:
                    return right, f"node {i} {self.name(op)}, output {place}: {words}"
                right += 1
            if constant:
                self.known.update(zip(outputs, wanted))
            values.update(zip(outputs, got))
        return right, ""

    def name(self, op: Any) -> str:
        kind = self.graph.kind(op)
        code = self.graph.tree.operatorCodes[op.opcodeIndex]
        return tflite_file.text(code.customCode) if kind == "CUSTOM" else kind

    def compute(self, node: int, inputs: Values, got: Values) -> Values:
        """A node's outputs; where two answers are right, the one of `got`."""
        op = self.graph.ops[node]
        name = self.name(op)
        if name == "SVDF":
            return self._svdf(node, inputs)
        if name == "SignalFilterBankSpectralSubtraction":
            options = options_of(op)
            before = self.state.get(node, [0] * options["num_channels"])
            remains, self.state[node] = audio.subtract_noise(inputs[0].tolist(), before, options)
            return [remains, self.state[node]]
        if name == "PosenetDecoderOp":
            numbers = [self._numbers(t, v) for t, v in zip(self.graph.op_inputs(op), inputs)]
            return decoded(numbers, options_of(op), got)
        if name in CUSTOM:
            return CUSTOM[name](inputs, op, got)
        return self._by_litert(op, inputs, got)

    def _numbers(self, tensor: int, values: Array) -> Array:
        """What codes stand for."""
        if values.dtype.kind == "f":
            return values.astype(np.float64)
        q = self.graph.main.tensors[tensor].quantization
        return (values.astype(np.float64) - int(q.zeroPoint[0])) * float(q.scale[0])

    def _svdf(self, node: int, inputs: Values) -> Values:
        op = self.graph.ops[node]
        x, features, time, bias, _ = inputs
        tensors = [*self.graph.op_inputs(op), *self.graph.op_outputs(op)]
        of = {t: self.graph.main.tensors[t].quantization for t in tensors}
        source, *weights, _, memory, out = tensors
        zeros = tuple(int(of[t].zeroPoint[0]) for t in (source, memory, out))
        scales = [of[t].scale[0] for t in (source, weights[0], memory, weights[1], out)]
        before = self.state.get(node, np.full((len(x), *time.shape), zeros[1], np.int8))
        result, self.state[node] = integers.svdf(x, features, time, bias, before, zeros, scales)
        return [result]

    def _by_litert(self, op: Any, inputs: Values, got: Values) -> Values:
        """The node as a model of its own; whole numbers are constants there, for they may be extents."""
        code = copy.copy(self.graph.tree.operatorCodes[op.opcodeIndex])
        alone = copy.copy(op)
        alone.opcodeIndex, alone.intermediates = 0, None
        model = S.ModelT(version=3, operatorCodes=[code], buffers=[S.BufferT()])
        main = S.SubGraphT(tensors=[], inputs=[], outputs=[], operators=[alone])
        model.subgraphs = [main]
        places: dict[int, int] = {NO_TENSOR: NO_TENSOR}
        feeds = []
        for tensor, value in zip(self.graph.op_inputs(op), inputs):
            if tensor in places:
                continue
            places[tensor] = len(main.tensors)
            main.tensors.append(own := self._described(tensor, value))
            if tensor in self.known or value.dtype in (np.int32, np.int64):
                own.buffer = len(model.buffers)
                model.buffers.append(S.BufferT(data=np.frombuffer(value.tobytes(), np.uint8)))
            else:
                main.inputs.append(places[tensor])
                feeds.append(value)
        alone.inputs = [places[t] for t in self.graph.op_inputs(op)]
        for tensor, value in zip(self.graph.op_outputs(op), got):
            main.outputs.append(len(main.tensors))
            main.tensors.append(self._described(tensor, value))
        alone.outputs = list(main.outputs)
        interpreter = Interpreter(
            model_content=tflite_file.write(model),
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
            num_threads=1,
        )
        interpreter.allocate_tensors()
        for place, value in zip(main.inputs, feeds):
            interpreter.set_tensor(place, value)
        interpreter.invoke()
        return [interpreter.get_tensor(t) for t in main.outputs]

    def _described(self, tensor: int, value: Array | None) -> Any:
        own = copy.copy(self.graph.main.tensors[tensor])
        own.buffer, own.shapeSignature = 0, None
        if value is not None:
            own.shape = np.asarray(value.shape, np.int32)
        if own.shape is not None and len(own.shape) == 1 and own.quantization is not None:
            own.quantization = copy.copy(own.quantization)
            own.quantization.quantizedDimension = 0  # files that name a dimension that is not there
        return own


def _kept(runner: Any, tensor: int) -> Array | None:
    try:
        return np.asarray(runner.read(tensor))
    except InputError:
        return None


def _different(got: Array, wanted: Array) -> str:
    """Integers must be equal, whichever type the wanted ones come in; floats near."""
    if got.shape != wanted.shape or (got.dtype.kind == "f") != (wanted.dtype.kind == "f"):
        return f"{got.dtype}{list(got.shape)}, wanted {wanted.dtype}{list(wanted.shape)}"
    if got.dtype.kind != "f":
        wrong = np.asarray(got != wanted)
        return f"{wrong.sum()} of {wrong.size} elements differ" if wrong.any() else ""
    apart = difference([got], [wanted])
    return f"{apart} of the greatest value apart" if apart > TOLERANCE else ""


def options_of(op: Any) -> dict[str, Any]:
    return dict(flexbuffers.Loads(bytes(bytearray(op.customOptions))))


def decoded(fields: list[Array], options: dict[str, Any], got: Values) -> Values:
    """Of PosenetDecoderOp: key points, their scores, those of poses, their number, masks."""
    stride, most = options["stride"], options["max_detections"]
    heat, *offsets = (f[0] for f in fields)
    shorts, mids, *longs = (f / stride for f in offsets)
    radius = options["nms_radius"] / stride
    threshold = options["score_threshold"]
    found = vision.poses(heat, shorts, mids, most, threshold, radius, given=got[0][0] / stride)
    points, key_scores, scores = np.zeros((1, most, 17, 2)), np.zeros((1, most, 17)), np.zeros((1, most))
    for i, (p, s, score) in enumerate(found):
        points[0, i], key_scores[0, i], scores[0, i] = p * stride, s, score
    results: Values = [points, key_scores, scores, np.array([float(len(found))])]
    if longs:
        masks = np.zeros((1, most, *heat.shape[:2]))
        if found:
            distance = vision.mask_distances(longs[0], np.array([p for p, _, _ in found]))
            ours = np.asarray(got[4])[0, : len(found)]
            # Of poses that are as near as the nearest but for rounding, the one that was chosen.
            near = distance <= distance.min(0) * (1 + 1e-4)
            owner = np.where(near, ours + 1, near).argmax(0)
            np.put_along_axis(masks[0], owner[None], 1, 0)
        results.append(masks)
    return results


def _matrix(inputs: Values, op: Any, got: Values) -> Values:
    """[1, 4, 4]: where the corner and the ends of both axes go says all."""
    places = vision.box_of_landmarks(inputs[0][0], options_of(op), np.array([(0, 0), (1, 0), (0, 1)]))
    matrix = np.eye(4)
    matrix[:2, 3] = places[0]
    matrix[:2, 0], matrix[:2, 1] = places[1] - places[0], places[2] - places[0]
    return [matrix[None]]


def _picture(inputs: Values, op: Any, got: Values) -> Values:
    options = options_of(op)
    size = options["output_height"], options["output_width"]
    result, unclear = vision.transformed_picture(inputs[0][0], inputs[1][0], *size)
    assert unclear.mean() < 0.1
    result[unclear] = got[0][0][unclear]
    return [result[None]]


def _unpooled(inputs: Values, op: Any, got: Values) -> Values:
    padding, stride_w, stride_h, width, height, *_ = np.array(op.customOptions, np.uint8).view(np.int32)
    return [vision.unpooled(*inputs, padding == 1, (stride_h, stride_w), (height, width))]


def _spectrum(inputs: Values, op: Any, got: Values) -> Values:
    return [np.ravel(audio.rfft(inputs[0], options_of(op)["fft_length"]))]


def _energy(inputs: Values, op: Any, got: Values) -> Values:
    options = options_of(op)
    return [audio.energy(inputs[0], options["start_index"], options["end_index"])]


def _pcan(inputs: Values, op: Any, got: Values) -> Values:
    x, noise, table = (v.tolist() for v in inputs)
    return [[audio.pcan(v, n, table, options_of(op)["snr_shift"]) for v, n in zip(x, noise)]]


def _log(inputs: Values, op: Any, got: Values) -> Values:
    o = options_of(op)
    correction, scale = o["input_correction_bits"], o["output_scale"]
    return [[audio.filter_bank_log(v, correction, scale) for v in inputs[0].tolist()]]


CUSTOM: dict[str, Callable[[Values, Any, Values], Values]] = {
    "LiteRtMaxUnpooling2D": _unpooled,
    "Landmarks2TransformMatrix": _matrix,
    "TransformLandmarks": lambda x, op, got: [vision.transformed_landmarks(x[0], x[1][0])],
    "TransformTensorBilinear": _picture,
    "SignalWindow": lambda x, op, got: [audio.window(*x, options_of(op)["shift"])],
    "SignalFftAutoScale": lambda x, op, got: list(audio.fft_auto_scale(x[0])),
    "SignalRfft": _spectrum,
    "SignalEnergy": _energy,
    "SignalFilterBank": lambda x, op, got: [audio.filter_bank(*x)],
    "SignalFilterBankSquareRoot": lambda x, op, got: [
        [audio.square_root(v, int(x[1])) for v in x[0].tolist()]
    ],
    "SignalPCAN": _pcan,
    "SignalFilterBankLog": _log,
}
