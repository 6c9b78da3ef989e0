"""What loading a model costs: seconds beside reading the bytes and building the graph, memory beside the weights.

    python -m benchmarks.loading [--megabytes 100] [--rounds 7]

Every round starts fresh processes, as a user loads a file once. After a small file, which imports all there is to
import, one reads the bytes of the file and builds its model without weights, another loads it. The table has the
medians, and the ratio that is promised to stay below 1.5. Memory is how much the largest resident size grows while the
file is loaded, over the bytes of the weights; promised is at most 1.2. It is known on Linux only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import nb3d

FORMATS = (".keras", ".h5", ".safetensors")
ROUND = """
import json, pathlib, sys, time
import h5py, nb3d
from nb3d.saving.formats import opened_container
from nb3d.saving.reader import built_from, configuration_in
what, small, path = sys.argv[1:]

def alone(path):
    with opened_container(path) as (_, container):
        return built_from(configuration_in(container), container)

def kibibytes(name):
    try:
        return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))
    except OSError:
        return float("nan")

def timed(action, *arguments):
    start = time.perf_counter()
    result = action(*arguments)
    return time.perf_counter() - start, result

nb3d.models.load_model(small)
alone(small)
if what == "parts":
    print(json.dumps([timed(pathlib.Path(path).read_bytes)[0], timed(alone, path)[0]]))
else:
    before = kibibytes("VmRSS")
    seconds, model = timed(nb3d.models.load_model, path)
    # The largest size ever is that of now, or of importing, which is smaller than the weights.
    growth = (kibibytes("VmHWM") - before) * 1024 / sum(variable.nbytes for variable in model.weights)
    print(json.dumps([seconds, growth]))
"""


def unet(megabytes: float) -> Any:
    """A 3D U-Net of four levels whose weights take about `megabytes`."""
    base = max(1, round(32 * (megabytes / 21.3) ** 0.5))
    layers = nb3d.layers
    x = inputs = nb3d.Input((64, 64, 64, 1))
    skips = []
    for level in range(4):
        for _ in range(2):
            x = layers.Conv3D(base << level, 3, padding="same", use_bias=False)(x)
            x = layers.Activation("relu")(layers.BatchNormalization()(x))
        if level < 3:
            skips.append(x)
            x = layers.MaxPooling3D(2)(x)
    for level in reversed(range(3)):
        x = layers.Concatenate()([layers.Conv3DTranspose(base << level, 2, strides=2)(x), skips[level]])
        for _ in range(2):
            x = layers.Conv3D(base << level, 3, padding="same", use_bias=False)(x)
            x = layers.Activation("relu")(layers.BatchNormalization()(x))
    return nb3d.Model(inputs, layers.Conv3D(2, 1, activation="softmax")(x))


def measured(what: str, small: Path, path: Path) -> list[float]:
    """What one process of a round prints."""
    command = [sys.executable, "-c", ROUND, what, str(small), str(path)]
    numbers: list[float] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return numbers


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Seconds and memory of loading a model.")
    parser.add_argument("--megabytes", type=float, default=100.0, help="size of the weights (default: 100)")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (default: 7)")
    options = parser.parse_args()
    model = unet(options.megabytes)
    size = sum(variable.nbytes for variable in model.weights)
    print(f"{len(model.layers)} layers, {size / 2**20:.1f} MiB of weights, medians of {options.rounds} rounds, seconds")
    print("| format | read bytes | build graph | load | load over both | memory over weights |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for ending in FORMATS:
            path, small = Path(folder) / f"model{ending}", Path(folder) / f"small{ending}"
            model.save(path)
            unet(0.1).save(small)
            rounds = [
                [*measured("parts", small, path), *measured("load", small, path)] for _ in range(options.rounds)
            ]
            read, built, loaded, growth = (median(column) for column in zip(*rounds, strict=True))
            ratio = loaded / (read + built)
            print(f"| {ending} | {read:.3f} | {built:.3f} | {loaded:.3f} | {ratio:.2f} | {growth:.2f} |", flush=True)


if __name__ == "__main__":
    main()
