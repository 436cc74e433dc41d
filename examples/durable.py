"""Results that survive everything: python examples/durable.py [mqtt://user:password@host/edge/clothing]

Without a broker they wait in the folder `outbox`; run it again with one, and all are delivered.
"""

import sys
from pathlib import Path

import edge_sdk
from edge_sdk import publish, sources, tasks

HERE = Path(__file__).parent
url = sys.argv[1] if len(sys.argv) > 1 else "mqtt://127.0.0.1:9/edge/clothing"  # nobody is there

model = edge_sdk.load(HERE.parent / "models" / "fashion_mnist" / "fashion_mnist_int8.tflite")
bounds = {"max_bytes": 64 << 20, "max_age_s": 7 * 86400}
publisher = publish.connect(url, outbox="outbox", outbox_options=bounds)
with sources.open_source(HERE / "data" / "clothing") as source, publisher:
    summary = edge_sdk.Pipeline(source, model, tasks.for_model(model, top_k=1), publisher).run()
    left = publisher.flush(5 if len(sys.argv) > 1 else 0)
print(f"{summary.published} results are safe, {left} of all that wait are still to be delivered")
