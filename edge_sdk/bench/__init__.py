"""Measure a model: load, first run, steady state, each op, memory, energy; beside other runtimes if wanted.

Times of different machines and moments cannot be compared: `measure` runs all runtimes in turn in one
process, on the same inputs, and gives ratios.
"""

from edge_sdk.bench.check import TOLERANCE, Check, Parting, check
from edge_sdk.bench.choice import Choice, Tuned, tune
from edge_sdk.bench.figures import machine_class, reference
from edge_sdk.bench.inputs import random_inputs
from edge_sdk.bench.joules import energy
from edge_sdk.bench.neighbour import BusyTiming, busy
from edge_sdk.bench.peers import PEERS
from edge_sdk.bench.resident import Memory, memory
from edge_sdk.bench.rounds import Agreement, Comparison, Refusal, Timing, measure
from edge_sdk.bench.steps import Peak, StepTiming, peaks, profile, share_of_peak

__all__ = [
    "PEERS",
    "TOLERANCE",
    "Agreement",
    "BusyTiming",
    "Check",
    "Choice",
    "Comparison",
    "Memory",
    "Parting",
    "Peak",
    "Refusal",
    "StepTiming",
    "Timing",
    "Tuned",
    "busy",
    "check",
    "energy",
    "machine_class",
    "measure",
    "memory",
    "peaks",
    "profile",
    "random_inputs",
    "reference",
    "share_of_peak",
    "tune",
]
