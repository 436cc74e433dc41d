"""Names the clothing in a folder of pictures: python examples/classify_pictures.py [FOLDER]"""

import sys
from pathlib import Path

import edge_sdk
from edge_sdk import publish, sources, tasks

HERE = Path(__file__).parent
folder = sys.argv[1] if len(sys.argv) > 1 else HERE / "data" / "clothing"

model = edge_sdk.load(HERE.parent / "models" / "fashion_mnist" / "fashion_mnist_int8.tflite")
task = tasks.for_model(model, top_k=1)
with sources.open_source(folder) as source, publish.connect("stdout") as publisher:
    summary = edge_sdk.Pipeline(source, model, task, publisher).run()
print(f"{summary.frames} pictures in {summary.seconds:.2f} s", file=sys.stderr)
