"""Every result within its deadline, or known to be late: python examples/vehicle.py [DEADLINE_MS]

The age of a result counts from the moment at which the sensor's window was read.
"""

import sys
import time
from pathlib import Path

import edge_sdk
from edge_sdk import publish, sources, tasks

deadline_ms = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
ages_ms = []

model = edge_sdk.load(Path(__file__).parent.parent / "models" / "motion" / "motion_int8.tflite", threads=1)
steps, channels = model.inputs[0].shape[-2:]
sensor = sources.open_source("synthetic:", shape=(steps, channels), count=500)  # or FILE.csv, window=steps
with sensor, publish.connect("memory:") as publisher:
    pipeline = edge_sdk.Pipeline(sensor, model, tasks.for_model(model, top_k=1), publisher)
    pipeline.run(on_event=lambda event: ages_ms.append((time.monotonic_ns() - event.t_ns) / 1e6))

late = sum(age > deadline_ms for age in ages_ms)
print(f"{len(ages_ms)} windows, {late} later than {deadline_ms:g} ms; the latest after {max(ages_ms):.3f} ms")
