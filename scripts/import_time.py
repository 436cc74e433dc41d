"""Prints what `import edge_sdk` costs beyond numpy: milliseconds, the median of 15 new processes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

MEASURE = """
import time
import numpy
start = time.perf_counter()
import edge_sdk
print(1e3 * (time.perf_counter() - start))
"""


def main() -> None:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", MEASURE]
    subprocess.check_output(command, env=env)  # compiles the modules
    times = [float(subprocess.check_output(command, env=env)) for _ in range(15)]
    print(f"import edge_sdk: {statistics.median(times):.1f} ms beyond numpy")


if __name__ == "__main__":
    main()
