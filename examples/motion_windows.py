"""Names the activity in windows of a motion sensor: python examples/motion_windows.py [FILE.csv]"""

import sys
from pathlib import Path

import edge_sdk
from edge_sdk import sources, tasks

model = edge_sdk.load(Path(__file__).parent.parent / "models" / "motion" / "motion_int8.tflite")
task = tasks.for_model(model, top_k=1)
steps, channels = model.inputs[0].shape[-2:] if len(model.inputs[0].shape) == 3 else (100, 6)

if len(sys.argv) > 1:
    source = sources.open_source(sys.argv[1], window=steps)
else:
    source = sources.open_source("synthetic:", shape=(steps, channels), count=5)

session = model.session()
with source:
    for frame in source:
        _, geometry = task.prepare(frame, session.inputs[0], out=session.input())
        outputs = session.run()
        best = task.decode(list(zip(outputs, session.outputs)), geometry)[0]
        print(f"{frame.id}: {best.label} {best.score:.2f}")
