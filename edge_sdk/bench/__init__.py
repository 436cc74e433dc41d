"""Measure a model: load, first run, steady state, each op, memory; beside other runtimes if wanted.

Times of different machines and moments cannot be compared: `measure` runs all runtimes in turn in one
process, on the same inputs, and gives ratios.
"""

from edge_sdk.bench.busy import BusyTiming, busy
from edge_sdk.bench.inputs import random_inputs
from edge_sdk.bench.measure import Agreement, Comparison, Refusal, Timing, measure
from edge_sdk.bench.memory import Memory, memory
from edge_sdk.bench.peers import PEERS
from edge_sdk.bench.profile import Peak, StepTiming, peaks, profile
from edge_sdk.bench.reference import machine_class, reference

__all__ = [
    "PEERS",
    "Agreement",
    "BusyTiming",
    "Comparison",
    "Memory",
    "Peak",
    "Refusal",
    "StepTiming",
    "Timing",
    "busy",
    "machine_class",
    "measure",
    "memory",
    "peaks",
    "profile",
    "random_inputs",
    "reference",
]
