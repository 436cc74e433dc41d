"""Puts results into an outbox and takes them out, over two lives, and says in shim.c's log what is promised.

workload.py FOLDER COUNT BYTES. A result is marked `accepted` once its future is done, `arrived` before it
is acknowledged.
"""

from __future__ import annotations

import ctypes
import sys

from edge_sdk.publish.outbox import Outbox


def mark(kind: str, number: int) -> None:
    ctypes.CDLL(None).faults_mark(f"{kind}:{number}".encode())


def payload(number: int, size: int) -> bytes:
    return (b"%d " % number) * (size // 12 + number % 7)


def main() -> None:
    folder, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for _ in range(2):
        outbox = Outbox(folder, device="d")
        first = outbox.epoch << 32
        for start in range(0, count, 40):
            numbers = range(first + start, first + min(start + 40, count))
            futures = [outbox.put(n, "edge/results", payload(n, size)) for n in numbers]
            for n, future in zip(numbers, futures):
                future.result()
                mark("accepted", n)
            for _ in range(30):  # fewer than came, so that some wait
                row = outbox.take(1000)
                assert row is not None
                mark("arrived", row.number)
                outbox.acknowledge(row.number)
        outbox.close()


if __name__ == "__main__":
    main()
