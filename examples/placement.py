"""Where each op of a model runs, and why: python examples/placement.py [MODEL]"""

import sys
from collections import Counter
from pathlib import Path

import edge_sdk

MODELS = Path(__file__).parent.parent / "models"
path = sys.argv[1] if len(sys.argv) > 1 else MODELS / "motion" / "motion_int8.tflite"

model = edge_sdk.load(path, require="allow")
for p in model.placement():
    print(f"{p.node:3} {p.op:20} {p.device:6} {p.backend:7} {p.kernel or '-':28} {p.reason}")
print(dict(Counter(p.backend for p in model.placement())))
