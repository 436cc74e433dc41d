"""Training on the host, by PyTorch: needs the extra `[train]`, which is loaded when it is first used."""

from __future__ import annotations

from edge_sdk.errors import BackendError
from edge_sdk.optimize.data import Progress, Samples

AUGMENTS = ("shift", "mirror")  # what may be done to pictures while training: moved a little, flipped


def need_torch() -> None:
    """Raises `BackendError` with the line to type unless the extra `[train]` is installed."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise BackendError(
            f"training needs PyTorch, which is not installed ({error}): pip install 'edge-sdk-runtime[train]'"
        ) from error


def fine_tune(
    model: bytes,
    samples: Samples,
    teacher: bytes | None = None,
    epochs: float = 3,
    seed: int = 0,
    progress: Progress = lambda done: None,
) -> bytes:
    """`model`, a float `.tflite`, trained on: the same graph, signature and metadata, other weights.

    It learns what `teacher` (any `.tflite` with the same inputs) gives for the samples, and their labels
    where they have some; one of the two is needed. A tenth of the samples is held out to pick the best
    epoch, which may be the model as it came. `progress` is called with the samples seen so far, of
    `epochs * len(samples)`. The same seed and number of threads give the same bytes.
    """
    need_torch()
    from edge_sdk.optimize.train import fit

    return fit.fine_tune(model, samples, teacher, epochs, seed, progress)
