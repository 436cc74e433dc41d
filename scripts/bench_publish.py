"""What an outbox costs: bench_publish.py [--json] [--count N] [--folder FOLDER].

Durable messages a second with many senders and with futures, bytes that reach the disk for one message of
600 bytes, the time of a lone `send`, and CPU time with delivery to a mosquitto. FOLDER lies on the disk to
measure.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from brokers import Mosquitto  # noqa: E402

from edge_sdk import publish  # noqa: E402
from edge_sdk.publish.outbox import Outbox  # noqa: E402

PAYLOAD = b'{"pad": "' + b"x" * 589 + b'"}'
SENDERS = 64
BARS = {
    "per_s_many_senders": (5000, ">="),
    "per_s_futures": (5000, ">="),
    "bytes_written_per_message": (2048, "<="),
    "lone_send_p99_ms": (5.0, "<="),
    "cpu_ms_per_message": (0.3, "<="),
}


def written() -> int:
    """Bytes that this process has given to the disk."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["write_bytes"])


def many_senders(outbox: Outbox, count: int) -> None:
    first = outbox.epoch << 32
    lock = threading.Lock()
    given = 0

    def send() -> None:
        nonlocal given
        while True:
            with lock:
                if given == count:
                    return
                future = outbox.put(first + given, "edge/results", PAYLOAD)
                given += 1
            future.result()

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def futures(outbox: Outbox, count: int) -> None:
    first = outbox.epoch << 32
    for future in [outbox.put(first + n, "edge/results", PAYLOAD) for n in range(count)]:
        future.result()


def groups(outbox: Outbox, count: int) -> None:
    """Fifty at a time, as much as one group has to hold, and nothing between."""
    first = outbox.epoch << 32
    for start in range(0, count, 50):
        for future in [outbox.put(first + start + n, "edge/results", PAYLOAD) for n in range(50)]:
            future.result()


def timed(folder: Path, put: Callable[[Outbox, int], None], count: int) -> tuple[float, float]:
    """Messages a second, and bytes written for each."""
    outbox = Outbox(folder / put.__name__, device="bench")
    before, start = written(), time.perf_counter()
    put(outbox, count)
    seconds = time.perf_counter() - start
    outbox.close()
    return count / seconds, (written() - before) / count


def lone(folder: Path, count: int) -> list[float]:
    """Seconds of each `send` when nobody else sends, sorted."""
    outbox = Outbox(folder / "lone", device="bench")
    first, times = outbox.epoch << 32, []
    for n in range(count):
        start = time.perf_counter()
        outbox.put(first + n, "edge/results", PAYLOAD).result()
        times.append(time.perf_counter() - start)
        time.sleep(0.002)
    outbox.close()
    return sorted(times)


def delivered(folder: Path, count: int) -> tuple[float, float]:
    """CPU milliseconds and bytes written for a message, from the dict to the broker's acknowledgement."""
    broker = Mosquitto(folder).start()
    try:
        with publish.connect(broker.url(), outbox=folder / "delivered") as publisher:
            publisher.send({"n": -1})
            publisher.flush(30)
            before, start = written(), time.process_time()
            for n in range(count):
                publisher.send_nowait({"n": n, "pad": "x" * 560})
            left = publisher.flush(120)
            cpu = time.process_time() - start
        if left:
            raise SystemExit(f"{left} messages were not delivered")
        return 1000 * cpu / count, (written() - before) / count
    finally:
        broker.stop()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, help="a temporary one by default")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
        senders, _ = timed(folder, many_senders, options.count)
        with_futures, _ = timed(folder, futures, options.count)
        in_groups, bytes_each = timed(folder, groups, options.count)
        times = lone(folder, max(200, options.count // 20))
        cpu, bytes_delivered = delivered(folder, options.count)
    found = {
        "per_s_many_senders": senders,
        "per_s_futures": with_futures,
        "per_s_groups_of_50": in_groups,
        "bytes_written_per_message": bytes_each,
        "bytes_written_per_delivered_message": bytes_delivered,
        "lone_send_median_ms": 1000 * statistics.median(times),
        "lone_send_p99_ms": 1000 * times[int(0.99 * len(times))],
        "cpu_ms_per_message": cpu,
    }
    if options.json:
        print(json.dumps({"cpus": os.cpu_count(), **{k: round(v, 3) for k, v in found.items()}}))
        return 0
    for name, value in found.items():
        bar, sense = BARS.get(name, (None, ""))
        print(f"{name:36} {value:12,.3f}" + (f"   bar: {sense} {bar:,}" if bar is not None else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
