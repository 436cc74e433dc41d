"""A fleet on one machine: python examples/fleet.py [DEVICES RESULTS_OF_EACH]; needs mosquitto."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from edge_sdk import publish

DEVICES, RESULTS = map(int, sys.argv[1:3] or (20, 10))
URL = "mqtt://127.0.0.1:18830/fleet"
program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
if program is None:
    sys.exit(print("apt install mosquitto"))
with tempfile.TemporaryDirectory() as folder:
    config = Path(folder, "mosquitto.conf")
    config.write_text("listener 18830 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    broker = subprocess.Popen([program, "-c", config], stderr=subprocess.DEVNULL)
    time.sleep(1)  # until it listens
    start = time.monotonic()
    with publish.subscribe(f"{URL}/#") as inbox:
        fleet = [publish.connect(f"{URL}/{n}", device=f"pi-{n}") for n in range(DEVICES)]
        accepted = [device.send({"n": n}) for n in range(RESULTS) for device in fleet]
        got = sum(inbox.next(30) is not None for _ in accepted)
        left = sum(device.flush(10) + (device.close() or 0) for device in fleet)
    seconds = time.monotonic() - start
    broker.terminate()
print(f"{DEVICES} devices, {len(accepted)} results: {len(accepted) - got} lost, {left} left, {seconds:.1f} s")
