"""Seconds from `import nb3d` to a first prediction: with nothing compiled yet, and with the kernels on disk.

    make bench-cold        prints them; `make bench` also writes them down

Every measurement is a fresh process that imports nb3d, loads a network and predicts one volume of 64^3: the demo's
network, then the 3D U-Net of the table of speeds. The cold ones have an empty kernel cache, the warm ones what the
process before them left. With `--peers-python` the same is done by Keras on TensorFlow. A process that is not measured
comes first: files are in the disk's cache then, and Python's bytecode is there as after an installation.
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

import nb3d
from benchmarks import machine, report
from benchmarks.architectures import unet
from benchmarks.frameworks import keras_like
from nb3d.version import __version__

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "examples" / "nodules_unet.keras"
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


def measure(python: str, library: str, file: Path, cache: str) -> list[float]:
    """Seconds of each stage in a fresh process."""
    environment = os.environ | {"NB3D_CACHE_DIR": cache, "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [python, "-c", PROGRAM.format(library=library), str(file)]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{library} failed: {(ran.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    return [float(seconds) for seconds in json.loads(ran.stdout.strip().splitlines()[-1])]


def cold(python: str, file: Path, count: int) -> list[list[float]]:
    """Runs with an empty cache each."""
    runs = []
    for _ in range(count):
        with tempfile.TemporaryDirectory() as cache:
            runs.append(measure(python, "nb3d", file, cache))
    return runs


def warm(python: str, library: str, file: Path, count: int) -> list[list[float]]:
    """Runs after one that filled the cache."""
    with tempfile.TemporaryDirectory() as cache:
        measure(python, library, file, cache)
        return [measure(python, library, file, cache) for _ in range(count)]


def row(network: str, name: str, runs: list[list[float]]) -> str:
    """A line of the table: medians of the stages, and of their sum up to the first prediction."""
    stages = [statistics.median(stage) for stage in zip(*runs, strict=True)]
    total = statistics.median(sum(run[:3]) for run in runs)
    return f"| {network} | {name} | {' | '.join(f'{seconds:.2f}' for seconds in stages)} | {total:.2f} |"


def rows(network: str, file: Path, peers_python: str | None, count: int) -> list[str]:
    """The lines of one network."""
    found = warm(sys.executable, "nb3d", file, count)
    lines = [
        row(network, "nb3d, nothing compiled yet", cold(sys.executable, file, count)),
        row(network, "nb3d, kernels on disk", found),
    ]
    if peers_python:
        lines.append(row(network, "Keras on TensorFlow", warm(peers_python, "keras", file, count)))
    return lines


def main() -> None:
    """Measures, prints, and writes into benchmarks/results.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers-python", help="interpreter that has Keras and TensorFlow")
    parser.add_argument("--dry", action="store_true", help="write no results")
    options = parser.parse_args()

    lines = [
        f"| network | seconds | {' | '.join(STAGES)} | import to first prediction |",
        f"| --- | --- | {' | '.join(['---:'] * (len(STAGES) + 1))} |",
        *rows("the demo's", DEMO, options.peers_python, options.runs),
    ]
    with tempfile.TemporaryDirectory() as folder:
        large, file = unet(), Path(folder) / "unet.keras"
        keras_like.build(nb3d, large).save(file)
        lines += rows(large.name, file, options.peers_python, options.runs)
    print("\n".join(lines))
    if not options.dry:
        caption = f"One volume of 64x64x64 voxels, medians of {options.runs} processes."
        versions = {"nb3d": __version__} | {name: importlib.metadata.version(name) for name in ("numba", "numpy")}
        conditions = machine.describe(versions, machine.cores())
        report.write(report.COLD, "\n".join([*lines, "", caption, conditions]))


if __name__ == "__main__":
    main()
