"""A process that publishes, and says on its standard output what was accepted.

sender.py URL FOLDER FIRST COUNT OPTIONS sends results numbered from FIRST by `send` and `send_nowait`, and
writes each number once its `send` has returned or its future is done: so what it wrote was accepted, whenever
it is killed. After COUNT it waits, up to `flush_s`, until all have arrived, and closes.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from concurrent.futures import Future

from edge_sdk import publish
from edge_sdk.publish import delivery


def say(number: int) -> None:
    os.write(1, b"%d\n" % number)  # one system call: a line is there whole or not at all


def main() -> None:
    url, folder, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    options = json.loads(sys.argv[5])
    flush_s, ahead = options.pop("flush_s", 0.0), threading.Semaphore(options.pop("ahead", 40))
    delivery._AGAIN_S = options.pop("again_s", delivery._AGAIN_S)
    with publish.connect(url, outbox=folder, retry_s=(0.02, 0.5), **options) as publisher:
        say(-1)  # it has begun

        def accepted(number: int, future: Future[None]) -> None:
            ahead.release()
            if future.exception() is None:
                say(number)

        for n in range(first, first + count):
            payload = {"n": n, "pad": "x" * (n * 7919 % 500)}
            if n % 97 == 0:
                publisher.send(payload)
                say(n)
                continue
            ahead.acquire()
            publisher.send_nowait(payload).add_done_callback(lambda done, n=n: accepted(n, done))
        publisher.flush(flush_s)


if __name__ == "__main__":
    main()
