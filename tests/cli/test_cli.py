"""The command as a user types it: a process of its own, its output, its exit status."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import PATIENCE_S, Mosquitto, Subscriber

ROOT = Path(__file__).resolve().parent.parent.parent
CLOTHING = ROOT / "models" / "fashion_mnist" / "fashion_mnist_int8.tflite"
PICTURES = ROOT / "examples" / "data" / "clothing"


def command(*arguments: Any) -> list[str]:
    return [sys.executable, "-m", "edge_sdk", *map(str, arguments)]


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path}


def edge(*arguments: Any, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(*arguments), env=environment(), capture_output=True, text=True, timeout=PATIENCE_S * 6
    )
    assert done.returncode == status, f"{done.stdout}\n{done.stderr}"
    return done


def last_json(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return value


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path / "broker")
    yield mosquitto
    mosquitto.stop()


def test_run_prints_a_line_per_picture() -> None:
    done = edge("run", "--model", CLOTHING, "--source", PICTURES / "0000_ankle_boot.png", "--top-k", 1)
    assert "0000_ankle_boot.png: Ankle boot 0.99" in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_run_shows_the_model_nothing_of_a_masked_region() -> None:
    picture = PICTURES / "0000_ankle_boot.png"
    arguments = ("run", "--model", CLOTHING, "--source", picture, "--top-k", 1)
    whole = edge(*arguments, "--mask", "0,0,28,28").stdout
    assert "Ankle boot" not in whole
    assert whole == edge(*arguments, "--mask", "0,0,28,10", "--mask", "0,10,28,18").stdout


def test_run_to_a_broker_arrives_whole_and_in_order(broker: Mosquitto) -> None:
    broker.start()
    subscriber = Subscriber(broker.port)
    done = edge("run", "--model", CLOTHING, "--source", PICTURES, "--publish", broker.url(), "--json")
    count = len(list(PICTURES.glob("*.png")))
    subscriber.wait(lambda: len(subscriber.results()) == count, "all results")
    assert [r["frame"] for r in subscriber.results()] == sorted(p.name for p in PICTURES.glob("*.png"))
    subscriber.close()
    summary = last_json(done)
    assert (summary["frames"], summary["published"], summary["undelivered"]) == (count, count, 0)


def test_run_appears_in_home_assistant_and_as_a_sparkplug_node(broker: Mosquitto, tmp_path: Path) -> None:
    broker.start()
    (tmp_path / "power.csv").write_text("time_s,watt\n0,3.25\n")
    subscriber = Subscriber(broker.port)
    edge("run", "--model", CLOTHING, "--source", PICTURES, "--publish", broker.url("edge/door"),
         "--home-assistant", "--sparkplug", "plant", "--meter", f"replay:{tmp_path}/power.csv")  # fmt: skip
    subscriber.wait(lambda: subscriber.statuses("edge/door/status")[-1:] == ["offline"], "the end")
    (state,) = subscriber.results("edge/door/state")[-1:]
    last = subscriber.results("edge/door")[-1]
    subscriber.close()
    assert state["result"] == last["results"][0]["label"], "the last one is told in any case"
    assert state["fps"] > 0
    assert state["watts"] == 3.25
    assert state["latency_ms"] > 0
    kinds = [topic.split("/")[2] for topic, _, _ in subscriber.messages if topic.startswith("spBv1.0/plant/")]
    assert kinds[:2] == ["NBIRTH", "DBIRTH"]
    assert kinds[kinds.index("DDEATH") + 1] == "NDEATH"
    assert kinds.count("DDATA") >= len(list(PICTURES.glob("*.png")))


def test_run_waits_for_a_broker_that_comes_late(broker: Mosquitto) -> None:
    with subprocess.Popen(
        command("run", "--model", CLOTHING, "--source", PICTURES, "--publish", broker.url()),
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()  # one line about the broker, before it is there
        assert str(broker.port) in said
        broker.start()
        subscriber = Subscriber(broker.port)
        rest = process.stderr.read()
        assert process.wait(PATIENCE_S * 4) == 0, rest
    frames = [r["frame"] for r in subscriber.results()]
    subscriber.close()
    # The subscriber may have come after the first results, but what it saw is in order and to the end.
    expected = sorted(p.name for p in PICTURES.glob("*.png"))
    assert frames == expected[len(expected) - len(frames) :]


def test_run_to_a_host_that_is_unknown_says_so_and_counts_what_is_left() -> None:
    done = edge(
        "run", "--model", CLOTHING, "--source", PICTURES / "0000_ankle_boot.png", "--json", "--wait", "0.2",
        "--publish", "mqtt://no-such-host.invalid/t", status=1,
    )  # fmt: skip
    assert "no-such-host.invalid" in done.stderr
    assert last_json(done)["undelivered"] == 1


def test_run_skips_damaged_pictures_and_ends_with_1(tmp_path: Path) -> None:
    for name in ("0000_ankle_boot.png", "0001_pullover.png"):
        (tmp_path / name).write_bytes((PICTURES / name).read_bytes())
    (tmp_path / "0002_damaged.png").write_bytes((PICTURES / "0001_pullover.png").read_bytes()[:100])
    out = tmp_path / "results.jsonl"
    done = edge("run", "--model", CLOTHING, "--source", tmp_path, "--publish", out, "--json", status=1)
    summary = last_json(done)
    assert (summary["frames"], summary["skipped"]) == (2, 1)
    assert "0002_damaged.png" in done.stderr
    assert [json.loads(line)["frame"] for line in out.read_text().splitlines()] == [
        "0000_ankle_boot.png",
        "0001_pullover.png",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--model", "none.tflite", "--source", "x.png"], ["none.tflite"]),
        (["run", "--model", PICTURES / "0018_bag.png", "--source", "x.png"], ["0018_bag.png", "byte"]),
        (["run", "--model", CLOTHING, "--source", "none.png"], ["none.png"]),
        (["run", "--model", CLOTHING, "--source", PICTURES, "--publish", "ftp://x"], ["ftp://x", "mqtt://"]),
        (["run", "--model", CLOTHING, "--source", PICTURES, "--task", "detect"], ["detect"]),
        (["run", "--model", CLOTHING, "--source", PICTURES, "--threads", "0"], ["threads", "0"]),
        (["run", "--model", CLOTHING, "--source", PICTURES, "--board", "toaster"], ["toaster"]),
        (["run", "--model", CLOTHING, "--source", PICTURES, "--sparkplug"], ["--sparkplug", "mqtt://"]),
        (["run", "--model", CLOTHING, "--source", PICTURES, "--frigate", "--publish", "mqtt://x/t"],
         ["--frigate", "detect"]),
        (["run", "--model", CLOTHING, "--source", PICTURES, "--sparkplug", "a/b", "--publish", "mqtt://x/t"],
         ["group", "a/b"]),
        (["run", "--model", CLOTHING, "--source", PICTURES, "--mask", "1,2,3"], ["1,2,3", "x,y,"]),
        (["run", "--model", CLOTHING, "--source", PICTURES, "--mask", "99,0,9,9"], ["99,0,9,9", "28 x 28"]),
        (["inspect", "none.tflite"], ["none.tflite"]),
        (["bench", "none.tflite"], ["none.tflite"]),
        (["bench", CLOTHING, "--meter", "abacus"], ["abacus", "rapl"]),
        (["run", "--model", CLOTHING, "--source", PICTURES, "--meter", "abacus"], ["abacus", "rapl"]),
        (["bench", CLOTHING, "--against", "litert,toaster"], ["toaster", "openvino"]),
        (["boards", "toaster"], ["toaster"]),
        (["tune", "none.tflite"], ["none.tflite"]),
        (["tune", PICTURES / "0018_bag.png"], ["0018_bag.png", "byte"]),
        (["walk"], ["walk"]),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_line_and_status_2(arguments: list[Any], words: list[str]) -> None:
    done = edge(*arguments, status=2)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert all(word in lines[0] for word in words), lines[0]
    assert done.stdout == ""


def test_inspect_shows_ops_kernels_and_labels() -> None:
    text = edge("inspect", CLOTHING, "--tensors", "--memory").stdout
    assert "CONV_2D" in text
    assert "Trouser" in text
    assert "gemm_" in text
    report = last_json(edge("inspect", CLOTHING, "--json"))
    # 1,000 bytes are a KB here as in quantize, prune and compare
    assert f": {report['bytes'] / 1000:.1f} KB, " in text
    assert f"arena {report['arena_bytes'] / 1000:.1f} KB" in text
    assert report["missing"] == []
    assert report["error"] is None
    assert report["macs"] > 1_000_000
    assert {n["op"] for n in report["nodes"]} >= {"CONV_2D", "SOFTMAX"}
    assert report["arena_bytes"] > 0
    assert report["scratch_bytes"] > 0


def test_inspect_shows_the_kernels_that_a_lower_isa_gets() -> None:
    done = subprocess.run(
        command("inspect", CLOTHING, "--json"),
        env={**environment(), "EDGE_ISA": "scalar"},
        capture_output=True,
        text=True,
        check=True,
    )
    kernels = {s["kernel"] for s in last_json(done)["steps"]} - {""}
    assert kernels
    assert all(k.endswith("_scalar") for k in kernels)


def test_bench_reports_every_step() -> None:
    report = last_json(edge("bench", CLOTHING, "--runs", 3, "--json", "--threads", 1))
    (ours,) = report["backends"]
    assert ours["backend"] == "native"
    assert 0 < ours["min_ms"] <= ours["p50_ms"] <= ours["p99_ms"]
    assert sum(s["share"] for s in report["ops"]) == pytest.approx(1, abs=0.01)


def test_bench_measures_energy_where_there_is_a_meter(tmp_path: Path) -> None:
    power_that_rises = "".join(
        f"{t},{t * t}\n" for t in range(300)
    )  # so the runs take more than the idle board
    (tmp_path / "counter.csv").write_text(f"time_s,joule\n{power_that_rises}")
    report = last_json(
        edge("bench", CLOTHING, "--runs", 3, "--json", "--meter", f"replay:{tmp_path}/counter.csv")
    )
    found = report["energy"]
    assert found["joules"] == pytest.approx(
        (found["watts"] - found["idle_watts"]) * found["seconds"] / found["runs"]
    )
    assert (found["reason"], found["method"]) == (None, "energy counter read at both ends")
    assert last_json(edge("bench", CLOTHING, "--runs", 3, "--json", "--meter", "none"))["energy"] is None


def test_run_tells_the_energy_of_a_result_where_there_is_a_meter(tmp_path: Path) -> None:
    power_that_rises = "".join(f"{t},{t * t}\n" for t in range(300))
    (tmp_path / "counter.csv").write_text(f"time_s,joule\n{power_that_rises}")
    arguments = ("run", "--model", CLOTHING, "--source", PICTURES, "--json", "--meter")
    report = last_json(edge(*arguments, f"replay:{tmp_path}/counter.csv"))
    found = report["energy"]
    assert (found["per"], found["runs"], found["reason"]) == ("result", report["frames"], None)
    assert found["joules"] == pytest.approx(
        (found["watts"] - found["idle_watts"]) * found["seconds"] / found["runs"]
    )
    assert last_json(edge(*arguments, "none"))["energy"] is None


def test_bench_against_litert_gives_a_ratio() -> None:
    pytest.importorskip("ai_edge_litert")
    report = last_json(edge("bench", CLOTHING, "--runs", 3, "--against", "litert,ncnn", "--json"))
    assert [b["backend"] for b in report["backends"]] == ["native", "litert"]
    assert report["ratio_p50"]["litert"] > 0
    assert report["ratio_min"]["litert"] > 0
    assert [r["backend"] for r in report["cannot_run"]] == ["ncnn"]
    assert {a["backend"]: a["greatest"] for a in report["agreement"]}["reference"] == 0


def test_bench_tells_people_the_same() -> None:
    pytest.importorskip("ai_edge_litert")
    text = edge(
        "bench", CLOTHING, "--runs", 3, "--against", "litert,ncnn", "--ops", "--memory", "--busy"
    ).stdout
    assert "litert takes " in text
    assert "ncnn cannot run: " in text
    assert "the same results as LiteRT's reference kernels, on 3 inputs" in text
    assert "of the measured peak (peak_" in text
    assert "native adds " in text
    assert "beside a process that loads a CPU" in text


def test_boards_marks_this_machine() -> None:
    report = last_json(edge("boards", "--json"))
    assert report["detected"] in {b["name"] for b in report["boards"]}
    assert "raspberry-pi-4" in edge("boards").stdout


def test_demo_receives_all_that_it_publishes(tmp_path: Path) -> None:
    pytest.importorskip("iotcore")
    done = edge("demo", "--out", tmp_path)
    result = last_json(done)
    assert result["published"] == result["received"] >= len(list(PICTURES.glob("*.png")))
    assert Path(result["picture"]).read_bytes().startswith(b"\x89PNG")


def test_demo_takes_the_users_broker(broker: Mosquitto, tmp_path: Path) -> None:
    broker.start()
    result = last_json(edge("demo", "--out", tmp_path, "--broker", f"mqtt://127.0.0.1:{broker.port}"))
    assert result["published"] == result["received"] > 0


def test_interrupt_ends_with_130() -> None:
    with subprocess.Popen(
        command("run", "--model", CLOTHING, "--source", "synthetic:"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell runs in the background ignores the signal, and its children with it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it is at work
        process.send_signal(signal.SIGINT)
        timer = threading.Timer(PATIENCE_S, process.kill)
        timer.start()
        process.stdout.read()
        assert process.wait() == 130
        timer.cancel()


def test_parrot_is_a_macaw(stash: Path, stash_data: Path) -> None:
    done = edge(
        "run", "--model", stash / "real/google-coral+test_data/mobilenet_v2_1.0_224_quant.tflite",
        "--labels", stash_data / "coral/imagenet_labels.txt", "--source", stash_data / "coral/parrot.jpg",
    )  # fmt: skip
    assert "parrot.jpg: macaw " in done.stdout


@pytest.mark.parametrize(("picture", "label", "count"), [("cat_720p.jpg", "cat", 1), ("pets.jpg", "dog", 2)])
def test_detections(
    stash: Path, stash_data: Path, broker: Mosquitto, picture: str, label: str, count: int
) -> None:
    model = "real/tensorflow+tflite-support/coco_ssd_mobilenet_v1_1.0_quant_2018_06_29_no_metadata.tflite"
    broker.start()
    subscriber = Subscriber(broker.port)
    edge(
        "run", "--model", stash / model, "--labels", stash_data / "coral/coco_labels.txt",
        "--source", stash_data / "coral" / picture, "--publish", broker.url(), "--require", "strict",
    )  # fmt: skip
    subscriber.wait(lambda: len(subscriber.results()) == 1, "the detections")
    found = [r for r in subscriber.results()[0]["results"] if r["score"] >= 0.5]
    subscriber.close()
    assert [r["label"] for r in found].count(label) == count
