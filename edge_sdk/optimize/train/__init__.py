"""Training on the host, by PyTorch: needs the extra `[train]`, which is loaded when it is first used."""

from __future__ import annotations

from edge_sdk.errors import BackendError
from edge_sdk.optimize.data import Progress, Samples

AUGMENTS = ("shift", "mirror")  # what may be done to pictures while training: moved a little, flipped


TORCH_FILES = (".py", ".pt2")  # what `from_torch` takes


def need_torch(what: str = "training") -> None:
    """Raises `BackendError` with the line to type unless the extra `[train]` is installed."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise BackendError(
            f"{what} needs PyTorch, which is not installed ({error}): pip install 'edge-sdk-runtime[train]'"
        ) from error


def from_torch(path: str) -> bytes:
    """A PyTorch model as a float `.tflite`, written by litert-torch.

    `path` is a .pt2 file that `torch.export.save` has written, or a .py file with a function
    `model(input_shape=(1, 3, 32, 32))` that returns a `torch.nn.Module` with its weights in place. The
    default of `input_shape` (a list of shapes where there are several inputs) is the shape of the file's
    input: axes stay in the order in which the network takes them.
    """
    need_torch("a PyTorch model")
    from edge_sdk.optimize.train import torch_files

    return torch_files.from_torch(path)


def fine_tune(
    model: bytes,
    samples: Samples,
    teacher: bytes | None = None,
    epochs: float = 3,
    seed: int = 0,
    progress: Progress = lambda done: None,
    augment: tuple[str, ...] = (),
) -> bytes:
    """`model`, a float `.tflite`, trained on: the same graph, signature and metadata, other weights.

    It learns what `teacher` (any `.tflite` with the same inputs) gives for the samples, and their labels
    where they have some; one of the two is needed. A tenth of the samples is held out to pick the best
    epoch, which may be the model as it came. `augment`, of AUGMENTS, is done to pictures meanwhile; what is
    to be told of them stays the same. `progress` is called with the samples seen so far, of
    `epochs * len(samples)`. The same seed and number of threads give the same bytes.
    """
    need_torch()
    from edge_sdk.optimize.train import fit

    return fit.fine_tune(model, samples, teacher, epochs, seed, progress, augment)
