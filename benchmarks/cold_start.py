"""Seconds from `import nb3d` to a first prediction: with nothing compiled yet, and with the kernels on disk.

    make bench-cold        prints them; `make bench` also writes them down

Every measurement is a fresh process that imports nb3d, loads the demo's network and predicts one volume of 64^3. The
cold ones have an empty kernel cache, the warm ones what the process before them left. With `--peers-python` the same
is done by Keras on TensorFlow. Files are read once beforehand, so that the disk's cache is the same for all.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import machine, report
from nb3d.version import __version__

ROOT = Path(__file__).resolve().parent.parent
NETWORK = ROOT / "examples" / "nodules_unet.keras"
STAGES = ("import", "load", "first prediction", "second prediction")

PROGRAM = """
import json, sys, time
marks = [time.perf_counter()]
import {library} as keras
marks.append(time.perf_counter())
model = keras.models.load_model(sys.argv[1])
marks.append(time.perf_counter())
import numpy as np
x = np.random.default_rng(0).standard_normal((1, 64, 64, 64, 1), dtype=np.float32)
for _ in range(2):
    model.predict(x, verbose=0)
    marks.append(time.perf_counter())
print(json.dumps([b - a for a, b in zip(marks, marks[1:])]))
"""


def measure(python: str, library: str, cache: str) -> list[float]:
    """Seconds of each stage in a fresh process."""
    environment = os.environ | {"NB3D_CACHE_DIR": cache, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [python, "-c", PROGRAM.format(library=library), str(NETWORK)]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{library} failed: {(ran.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    return [float(seconds) for seconds in json.loads(ran.stdout.strip().splitlines()[-1])]


def cold(python: str, count: int) -> list[list[float]]:
    """Runs with an empty cache each."""
    runs = []
    for _ in range(count):
        with tempfile.TemporaryDirectory() as cache:
            runs.append(measure(python, "nb3d", cache))
    return runs


def warm(python: str, library: str, count: int) -> list[list[float]]:
    """Runs after one that filled the cache."""
    with tempfile.TemporaryDirectory() as cache:
        measure(python, library, cache)
        return [measure(python, library, cache) for _ in range(count)]


def row(name: str, runs: list[list[float]]) -> str:
    """A line of the table: medians of the stages, and of their sum up to the first prediction."""
    stages = [statistics.median(stage) for stage in zip(*runs, strict=True)]
    total = statistics.median(sum(run[:3]) for run in runs)
    return f"| {name} | {' | '.join(f'{seconds:.2f}' for seconds in stages)} | {total:.2f} |"


def main() -> None:
    """Measures, prints, and writes into benchmarks/results.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers-python", help="interpreter that has Keras and TensorFlow")
    parser.add_argument("--dry", action="store_true", help="write no results")
    options = parser.parse_args()

    lines = [
        f"| seconds | {' | '.join(STAGES)} | import to first prediction |",
        f"| --- | {' | '.join(['---:'] * (len(STAGES) + 1))} |",
        row("nb3d, nothing compiled yet", cold(sys.executable, options.runs)),
        row("nb3d, kernels on disk", warm(sys.executable, "nb3d", options.runs)),
    ]
    if options.peers_python:
        lines.append(row("Keras on TensorFlow", warm(options.peers_python, "keras", options.runs)))
    print("\n".join(lines))
    if not options.dry:
        caption = f"The demo's network on 64x64x64 voxels, medians of {options.runs} processes."
        versions = {"nb3d": __version__} | {name: importlib.metadata.version(name) for name in ("numba", "numpy")}
        conditions = machine.describe(versions, machine.cores())
        report.write(report.COLD, "\n".join([*lines, "", caption, conditions]))


if __name__ == "__main__":
    main()
