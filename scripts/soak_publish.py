"""Publishes for a while to a broker that is restarted every minute: memory and open files stay as they are.

soak_publish.py [--minutes M] [--rate N] [--json]. A publisher with an outbox and a subscriber with a state
live in this process. Exits with 1 where a result is lost, comes twice or out of order, where resident memory
grows by more than 4 MiB between the first quarter of the run and its last, or a file or thread stays open.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from brokers import Mosquitto  # noqa: E402

from edge_sdk import publish  # noqa: E402

RESTART_S = 60.0
AWAY_S = 5.0
SAMPLE_S = 2.0
GROWTH = 4 << 20


def rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def handles() -> int:
    return len(os.listdir("/proc/self/fd"))


class Listener(threading.Thread):
    """Counts what comes: results are numbered from 0."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(daemon=True)
        self.results = publish.subscribe(url, name="soak", state=str(folder / "seen.json"), confirm=True)
        self.next = self.missing = self.again = 0
        self.start()

    def run(self) -> None:
        for result in self.results:
            n = result.payload["n"]
            self.missing += max(0, n - self.next)
            self.again += n < self.next
            self.next = max(self.next, n + 1)


def samples(
    publisher: publish.Publisher, broker: Mosquitto, options: argparse.Namespace
) -> dict[str, list[int]]:
    """Sends at a steady rate and restarts the broker; memory, handles and threads over time."""
    found: dict[str, list[int]] = {"rss": [], "handles": [], "threads": []}
    start = sampled = restarted = time.monotonic()
    away = False
    n = 0
    while (now := time.monotonic()) < start + 60 * options.minutes:
        for _ in range(int((now - start) * options.rate) - n):
            publisher.send_nowait({"n": n, "pad": "x" * 560})
            n += 1
        if not away and now > restarted + RESTART_S - AWAY_S:
            broker.stop()
            away = True
        elif away and now > restarted + RESTART_S:
            broker.start()
            away, restarted = False, now
        if now > sampled + SAMPLE_S and not away:
            sampled = now
            found["rss"].append(rss())
            found["handles"].append(handles())
            found["threads"].append(threading.active_count())
        time.sleep(0.01)
    if away:
        broker.start()
    found["sent"] = [n]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=100.0, help="results per second (100)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        broker = Mosquitto(
            folder, f"allow_anonymous true\npersistence true\npersistence_location {folder}/"
        ).start()
        stack.callback(broker.stop)
        listener = Listener(broker.url(), folder)
        with publish.connect(broker.url(), outbox=folder / "outbox", confirmed=True) as publisher:
            found = samples(publisher, broker, options)
            (sent,) = found["sent"]
            left = publisher.flush(120)
        listener.results.close()
        listener.join(10)
    memory, quarter = found["rss"], max(1, len(found["rss"]) // 4)
    grown = sum(memory[-quarter:]) / quarter - max(memory[:quarter])
    # A reconnection may be under way in a sample: what stays open is in the smallest of the last ones.
    flat = grown <= GROWTH and all(
        min(found[what][-quarter:]) <= max(found[what][:quarter]) for what in ("handles", "threads")
    )
    report = {
        "minutes": options.minutes,
        "broker_restarts": int(60 * options.minutes // RESTART_S),
        "sent": sent,
        "left": left,
        "lost": listener.missing + sent - listener.next,
        "twice_or_out_of_order": listener.again,
        "repeats_dropped": listener.results.repeats,
        "rss_mib": [round(m / 2**20, 2) for m in (memory[0], max(memory[:quarter]), max(memory), memory[-1])],
        "handles": [min(found["handles"]), max(found["handles"]), found["handles"][-1]],
        "threads": [min(found["threads"]), max(found["threads"]), found["threads"][-1]],
        "flat": flat,
    }
    print(json.dumps(report) if options.json else "\n".join(f"{k}: {v}" for k, v in report.items()))
    return 0 if flat and not left and not report["lost"] and not listener.again else 1


if __name__ == "__main__":
    sys.exit(main())
