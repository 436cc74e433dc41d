"""A program written for TFLite: only the import is ours. python examples/tflite_interpreter.py [MODEL]"""

import sys
from pathlib import Path

import numpy as np

from edge_sdk import Interpreter

MODELS = Path(__file__).parent.parent / "models"
path = sys.argv[1] if len(sys.argv) > 1 else str(MODELS / "fashion_mnist" / "fashion_mnist_int8.tflite")

interpreter = Interpreter(model_path=path, num_threads=2)
interpreter.allocate_tensors()
for detail in interpreter.get_input_details():
    print("input", detail["name"], detail["shape"], detail["dtype"].__name__, detail["quantization"])
    interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
interpreter.invoke()
for detail in interpreter.get_output_details():
    print("output", detail["name"], interpreter.get_tensor(detail["index"]).ravel()[:10])
