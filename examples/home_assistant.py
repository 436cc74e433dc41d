"""Clothing in Home Assistant: python examples/home_assistant.py mqtt://user:password@host/edge/clothing

Home Assistant, its MQTT integration on the same broker, shows the device by itself.
"""

import sys
from pathlib import Path

import edge_sdk
from edge_sdk import boards, energy, publish, sources, tasks
from edge_sdk.publish.message import Health

HERE = Path(__file__).parent
health = Health(temperature_c=energy.temperature_c(boards.detect()))

if len(sys.argv) > 1:
    publisher = publish.connect(sys.argv[1], home_assistant={"name": "Clothing"}, health=health)
else:
    publisher = publish.connect("stdout")  # no broker is given: only the results

model = edge_sdk.load(HERE.parent / "models" / "fashion_mnist" / "fashion_mnist_int8.tflite")
# The label in the corner of the picture is nobody's business: it is black before the model sees it.
with sources.open_source(HERE / "data" / "clothing", masks=[(0, 0, 4, 4)]) as source, publisher:
    edge_sdk.Pipeline(source, model, tasks.for_model(model, top_k=1), publisher).run()
