"""Models with fewer channels, or with blocks of zeros, made from the .tflite file itself."""

from edge_sdk.optimize.prune.run import MULTIPLE, FineTune, LayerChange, Pruned, Target, prune
from edge_sdk.optimize.prune.sparsity import PATTERNS, SPARSE_BLOCK, Sparsified, sparsify

__all__ = [
    "MULTIPLE",
    "PATTERNS",
    "SPARSE_BLOCK",
    "FineTune",
    "LayerChange",
    "Pruned",
    "Sparsified",
    "Target",
    "prune",
    "sparsify",
]
