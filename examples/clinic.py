"""Pictures that never leave the device, only what is in them: python examples/clinic.py [FOLDER]

The strip where a name may stand is black before anything sees a picture; what leaves is one line a picture.
"""

import sys
from pathlib import Path

import edge_sdk
from edge_sdk import publish, sources, tasks

HERE = Path(__file__).parent
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "data" / "clothing"
sent = Path("results.jsonl")  # or mqtts://user:password@broker/clinic/findings with outbox="outbox"

model = edge_sdk.load(HERE.parent / "models" / "fashion_mnist" / "fashion_mnist_int8.tflite")
name_strip = (0, 0, 28, 2)  # x, y, width, height in pixels
with sources.open_source(folder, masks=[name_strip]) as source, publish.connect(sent) as publisher:
    summary = edge_sdk.Pipeline(source, model, tasks.for_model(model, top_k=1), publisher).run()

lines = sent.read_text().splitlines()
print(lines[-1])
print(f"{summary.frames} pictures seen, {len(lines)} lines of {len(lines[-1])} bytes left the device")
