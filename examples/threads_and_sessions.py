"""One model, a session for each thread: the weights are shared, the memory is not."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import edge_sdk

MODELS = Path(__file__).parent.parent / "models"
model = edge_sdk.load(MODELS / "fashion_mnist" / "fashion_mnist_int8.tflite", threads=1)
spec = model.inputs[0]
pictures = np.random.default_rng(0).integers(-128, 128, (64, *spec.shape)).astype(spec.dtype)


def work(part):
    session = model.session()  # its own arena; running drops the GIL
    return [int(session.run(picture)[0].argmax()) for picture in part]


with ThreadPoolExecutor(4) as pool:
    found = [label for part in pool.map(work, np.split(pictures, 4)) for label in part]
assert found == [int(model.run(picture)[0].argmax()) for picture in pictures]
print(f"{len(found)} pictures in 4 threads, the same as in one")
