"""Values that travel between the parts of the SDK: frozen, with shape and unit beside each field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from edge_sdk.errors import InputError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Quantization:
    """Affine quantization: real = scale * (q - zero_point)."""

    scales: tuple[float, ...] = ()  # one per tensor, or one per channel along `dimension`
    zero_points: tuple[int, ...] = ()  # as many as scales
    dimension: int = 0  # the axis of per-channel scales

    def __bool__(self) -> bool:
        return bool(self.scales)


@dataclass(frozen=True)
class TensorSpec:
    """One tensor of a model."""

    name: str
    index: int  # position in the file's tensor list, as TFLite's detail dictionaries give it
    shape: tuple[int, ...]  # elements per axis, as the session holds it
    shape_signature: tuple[int, ...]  # as in the file; -1 where the file leaves an axis open
    dtype: np.dtype[Any]
    quantization: Quantization = field(default_factory=Quantization)


@dataclass(frozen=True)
class Geometry:
    """How a picture was fitted into a model's input; `decode` turns it round."""

    width: int  # of the source picture, pixels
    height: int  # of the source picture, pixels
    scale_x: float = 1.0  # input pixels per source pixel
    scale_y: float = 1.0  # input pixels per source pixel
    offset_x: float = 0.0  # input pixels left of the picture (letterbox)
    offset_y: float = 0.0  # input pixels above the picture (letterbox)
    input_width: int = 0  # of the model's input, pixels
    input_height: int = 0  # of the model's input, pixels


def _nothing() -> None:
    """The release of a frame that owns its memory."""


@dataclass(frozen=True)
class Frame:
    """What a source yields: pixels (height, width, 3) uint8 RGB, or a window (time, channels) float32."""

    data: Array
    id: str  # unique within the source: file name, row range, counter
    t_ns: int  # time of capture, nanoseconds of CLOCK_MONOTONIC
    release: Callable[[], None] = _nothing  # gives the buffer back to the source
    label: str | None = None  # ground truth where the source has it


@dataclass(frozen=True)
class Box:
    """A rectangle in the source picture's own pixels; (xmin, ymin) is the upper left corner."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float


@dataclass(frozen=True)
class Class:
    """One class of a classification."""

    id: int  # index into the model's labels
    score: float  # 0 to 1 where the model ends in a softmax or logistic
    label: str  # the label, or str(id) where the model has none

    def to_dict(self) -> dict[str, Any]:
        return {"id": self.id, "label": self.label, "score": round(self.score, 6)}


@dataclass(frozen=True)
class Detection:
    """One object that a detector found."""

    id: int  # class index
    score: float  # 0 to 1
    label: str
    box: Box
    track: int | None = None  # the same number for the same object in each frame, where they are tracked

    def to_dict(self) -> dict[str, Any]:
        b = self.box
        d = {
            "id": self.id,
            "label": self.label,
            "score": round(self.score, 6),
            "box": [round(v, 2) for v in (b.xmin, b.ymin, b.xmax, b.ymax)],
        }
        return d if self.track is None else {**d, "track": self.track}


Result = Union[Class, Detection]


@dataclass(frozen=True)
class Event:
    """What leaves the pipeline: one frame's result."""

    task: str  # "classify" or "detect"
    model: str  # the model file's stem
    frame_id: str
    t_ns: int  # time of capture, nanoseconds of CLOCK_MONOTONIC
    results: tuple[Result, ...]  # best first
    timings_ms: Mapping[str, float]  # prepare, run, decode; milliseconds
    label: str | None = None  # ground truth where the source has it

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        d: dict[str, Any] = {
            "task": self.task,
            "model": self.model,
            "frame": self.frame_id,
            "t_ns": self.t_ns,
            "results": [r.to_dict() for r in self.results],
            "timings_ms": {k: round(v, 3) for k, v in self.timings_ms.items()},
        }
        if self.label is not None:
            d["truth"] = self.label
        return d


@dataclass(frozen=True)
class Placement:
    """Where one op of the graph runs, and why."""

    op: str  # TFLite's name, e.g. CONV_2D
    node: int  # index in the main subgraph
    device: str  # "cpu" or the delegate's name
    backend: str  # "native" or "litert"
    kernel: str  # our kernel's name; empty where a backend does not tell
    reason: str


@dataclass(frozen=True)
class DelegateSpec:
    """An accelerator's library, as TFLite's load_delegate takes it."""

    name: str  # short name, e.g. "edgetpu"
    library: str  # file name for the dynamic loader, or a path
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What a model may take of the machine; beyond, loading or running it raises `BackendError`."""

    memory_bytes: int | None = None  # of a session's tensors; None: as much as the machine has
    tensors: int = 1 << 20  # of one graph
    nesting: int = 16  # graphs that call graphs that call graphs
    loop_steps: int = 1 << 20  # of one WHILE
    seconds: float | None = None  # of one run, looked at between ops; None: any

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and (isinstance(value, bool) or not value > 0):
                raise InputError(f"Limits.{name} is {value!r}: it must be above 0")
        if self.nesting > 64:
            raise InputError(f"Limits.nesting is {self.nesting}: it is 64 at most")
