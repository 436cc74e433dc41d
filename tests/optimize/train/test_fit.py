"""Fine-tuning: what is learned from labels and teachers, and that it comes out the same each time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="not run for want of PyTorch (pip install '.[train]')")

from builders import GraphBuilder  # noqa: E402

import edge_sdk  # noqa: E402
from edge_sdk.errors import InputError  # noqa: E402
from edge_sdk.optimize import prune  # noqa: E402
from edge_sdk.optimize.data import Samples, results  # noqa: E402
from edge_sdk.optimize.train import fine_tune, fit, lessons  # noqa: E402
from edge_sdk.resources import folder  # noqa: E402

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((600, 2)).astype(np.float32)
INSIDE = (np.hypot(*POINTS.T) < 1.1).astype(np.int64)


def network(seed: int, outputs: int = 2, ending: str = "SOFTMAX", hidden: int = 16) -> bytes:
    """Two layers with random weights."""
    rng = np.random.default_rng(seed)

    def random(*shape: int) -> Any:
        return rng.standard_normal(shape).astype(np.float32)

    g = GraphBuilder()
    x, middle = g.input((1, 2), "float32"), g.tensor((1, hidden), "float32")
    y, z = g.tensor((1, outputs), "float32"), g.tensor((1, outputs), "float32")
    first = [x, g.constant(random(hidden, 2)), g.constant(random(hidden))]
    g.op("FULLY_CONNECTED", first, [middle], fusedActivationFunction="RELU")
    g.op(
        "FULLY_CONNECTED", [middle, g.constant(random(outputs, hidden) / 4), g.constant(random(outputs))], [y]
    )
    if ending:
        g.op(ending, [y], [z], **({"beta": 1.0} if ending == "SOFTMAX" else {}))
    return g.build(outputs=[z if ending else y])


def accuracy(model: bytes) -> float:
    found = results(edge_sdk.load(model), Samples((POINTS,)))[0]
    return float(((found.argmax(1) if found.shape[1] > 1 else found[:, 0] > 0.5) == INSIDE).mean())


@pytest.fixture(scope="module")
def teacher() -> bytes:
    return fine_tune(network(0, hidden=32), Samples((POINTS,), INSIDE), epochs=60)


def test_learns_from_labels(teacher: bytes) -> None:
    assert accuracy(network(0, hidden=32)) < 0.75
    assert accuracy(teacher) > 0.95


def test_learns_from_a_teacher_without_labels(teacher: bytes) -> None:
    taught = fine_tune(network(1), Samples((POINTS,)), teacher, epochs=60)
    assert accuracy(network(1)) < 0.75
    assert accuracy(taught) > 0.93


def test_labels_that_are_there_count_beside_the_teacher() -> None:
    outputs = (torch.zeros(2, 2),)
    lesson = lessons.Lesson((), torch.tensor([0, lessons.NO_LABEL]), torch.tensor([[5.0, 0.0], [5.0, 0.0]]))
    soft = fit.loss_of(outputs, lessons.Lesson((), None, lesson.scores), fit.Settings(alpha=0.5))
    mixed = fit.loss_of(outputs, lesson, fit.Settings(alpha=0.5))
    np.testing.assert_allclose(mixed, (0.5 * soft + 0.5 * np.log(2) + soft) / 2, rtol=1e-6)


@pytest.mark.parametrize("outputs", [1, 2])
def test_yes_or_no_outputs(outputs: int) -> None:
    taught = fine_tune(network(2, outputs, "LOGISTIC", 32), Samples((POINTS,), INSIDE), epochs=60)
    assert accuracy(taught) > 0.93


def test_values_are_met_whatever_their_unit() -> None:
    truth = 1000 * np.hypot(*POINTS.T)[:, None]

    def error(model: bytes) -> float:
        found = results(edge_sdk.load(model), Samples((POINTS,)))[0]
        return float(np.sqrt(np.square(found - truth).mean()))

    start = network(3, 1, "", 32)
    master = fine_tune(start, Samples((POINTS,), truth), epochs=100)
    assert error(master) < 0.5 * error(start)
    assert error(fine_tune(start, Samples((POINTS,)), master, epochs=100)) < 0.5 * error(start)


def test_the_same_seed_gives_the_same_bytes_and_leaves_torch_as_it_was(teacher: bytes) -> None:
    samples = Samples((POINTS[:100],), INSIDE[:100])
    torch.manual_seed(5)
    state = torch.get_rng_state()
    first = fine_tune(network(1), samples, teacher, epochs=2, seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()
    torch.rand(7)
    assert fine_tune(network(1), samples, teacher, epochs=2, seed=3) == first
    assert fine_tune(network(1), samples, teacher, epochs=2, seed=4) != first


def test_a_model_that_cannot_get_better_stays_as_it_is() -> None:
    model = network(1)
    own = results(edge_sdk.load(model), Samples((POINTS,)))[0].argmax(1)
    again = fine_tune(model, Samples((POINTS,), own), model, epochs=1)
    found = results(edge_sdk.load(again), Samples((POINTS,)))[0].argmax(1)
    assert (found == own).mean() > 0.99


def test_progress_counts_samples_up_to_the_end() -> None:
    seen: list[int] = []
    fine_tune(network(1), Samples((POINTS,), INSIDE), None, 1.5, 0, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 900


def test_a_pruned_model_gets_closer_to_its_original() -> None:
    model = network(0, 2, "SOFTMAX", 64)
    samples = Samples((POINTS,))
    said = results(edge_sdk.load(model), samples)[0]

    def error(found: prune.Pruned) -> float:
        return float(np.abs(results(edge_sdk.load(found.model), samples)[0] - said).mean())

    target = prune.Target("macs", 0.25)
    tuned = prune.prune(model, target, samples, fine_tune=prune.FineTune(60))
    assert tuned.reached
    assert error(tuned) < 0.8 * error(prune.prune(model, target, samples, method="weights"))


def test_metadata_stays() -> None:
    model = (folder("models") / "motion" / "motion_float.tflite").read_bytes()
    before = edge_sdk.load(model)
    (spec,) = before.inputs
    x = RNG.standard_normal((20, *spec.shape[1:])).astype(np.float32)
    after = edge_sdk.load(fine_tune(model, Samples((x,), np.zeros(20, np.int64)), epochs=2))
    assert after.labels == before.labels
    assert after.metadata == before.metadata


def test_what_cannot_be_learned_from_is_refused(teacher: bytes) -> None:
    with pytest.raises(InputError, match="without labels need a teacher"):
        fine_tune(network(1), Samples((POINTS,)))
    with pytest.raises(InputError, match="without labels need a teacher"):
        fine_tune(network(1), Samples((POINTS,), np.full(len(POINTS), lessons.NO_LABEL)))
    with pytest.raises(InputError, match="label 7; the model's classes are 0 to 1"):
        fine_tune(network(1), Samples((POINTS,), INSIDE + 6), teacher)
    with pytest.raises(InputError, match="at least two samples"):
        fine_tune(network(1), Samples((POINTS[:1],), INSIDE[:1]))


def test_8_bit_probabilities_have_finite_logarithms() -> None:
    given = np.float32([[0, 0, 0.99609375], [0.5, 0.25, 0.25]])
    found = lessons.logarithms(given)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[1], np.log(given[1]), rtol=1e-6)
    scores = np.float32([[3, -1, 2]])
    np.testing.assert_array_equal(lessons.logarithms(scores), scores)


def test_augmented_pictures_are_moved_or_mirrored_and_windows_left_alone() -> None:
    torch.manual_seed(0)
    x = torch.arange(8 * 5 * 6 * 1.0).reshape(8, 5, 6, 1)
    mirrored = fit.augmented(x, ("mirror",))
    same = [bool((m == p).all()) for m, p in zip(mirrored, x)]
    flipped = [bool((m == p.flip(1)).all()) for m, p in zip(mirrored, x)]
    assert any(same)
    assert any(flipped)
    assert all(a or b for a, b in zip(same, flipped))
    moved = [fit.augmented(x, ("shift",)) for _ in range(20)]
    assert all(m.shape == x.shape for m in moved)
    assert any(bool((m[:, :-1] == x[:, 1:]).all()) for m in moved)
    window = torch.rand(4, 10, 3)
    assert fit.augmented(window, ("shift", "mirror")) is window


def test_pictures_are_changed_while_fine_tuning_where_that_is_asked_for() -> None:
    model = (folder("models") / "fashion_mnist" / "fashion_mnist_float.tflite").read_bytes()
    samples = Samples((RNG.random((24, 28, 28, 1)).astype(np.float32),))
    start = prune.prune(model, prune.Target("macs", 0.5)).model
    plain, mirrored, again = (
        fine_tune(start, samples, model, epochs=4, augment=ways) for ways in ((), ("mirror",), ("mirror",))
    )
    assert mirrored == again
    assert mirrored != plain
