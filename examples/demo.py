"""A network trained in Keras, loaded, inspected and run by nb3d alone: it finds nodules in a volume and draws them.

    make demo

Nothing here needs Keras or TensorFlow: `nodules_unet.keras` is the file that Keras wrote (see `train_nodules.py`).
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import nb3d
import picture
from nodules import dice, make_sample

NETWORK = Path(__file__).resolve().parent / "nodules_unet.keras"
FRESH_SEED = 1_000_000       # a volume that training never saw
WARM_RUNS = 5


def heading(text: str) -> None:
    """Prints a heading."""
    print(f"\n== {text} ==\n", flush=True)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a piece of work took, and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def as_list(tensors: Any) -> list[Any]:
    """One tensor or several, as a list."""
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]


def tensor_text(tensor: Any) -> str:
    """The layer that made a tensor, at which of its nodes, and the tensor's shape."""
    layer, node, _ = tensor._keras_history
    sides = ", ".join("?" if side is None else str(side) for side in tensor.shape)
    return f"{layer.name}[{node}] ({sides})"


def show_nodes(layer: Any, width: int) -> None:
    """Prints what goes in and what comes out at every node of a layer: one node for every time that it was called."""
    count = len(layer.inbound_nodes)
    for node in range(count):
        inputs = " + ".join(map(tensor_text, as_list(layer.get_input_at(node))))
        outputs = " + ".join(map(tensor_text, as_list(layer.get_output_at(node))))
        print(f"{layer.name:{width}}  node {node} of {count}  {inputs} -> {outputs}")


def show_connectivity(model: Any) -> None:
    """Prints the nodes of every layer; then calls a layer a second time to show that it gets a second node."""
    width = max(len(layer.name) for layer in model.layers)
    for layer in model.layers:
        show_nodes(layer, width)
    last = model.layers[-1]
    last(nb3d.Input((32, 32, 32, last.get_input_shape_at(0)[-1]), name="elsewhere"))
    print(f"\nafter {last.name!r} was called once more, on another input:")
    show_nodes(last, width)


def main() -> None:
    """Loads, inspects, plans, predicts, scores and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=96, help="voxels along each side of the volume, divisible by 4")
    parser.add_argument("--seed", type=int, default=FRESH_SEED, help="which volume")
    parser.add_argument("--output", type=Path, default=Path("demo.png"), help="where the picture goes")
    options = parser.parse_args()

    seconds, model = timed(lambda: nb3d.models.load_model(NETWORK))
    heading(f"{NETWORK.name}, written by Keras, loaded in {seconds:.2f} s")
    model.summary()

    heading("connectivity: inputs and outputs at each node")
    show_connectivity(model)

    sample = make_sample((options.side,) * 3, options.seed)
    x = sample.volume[np.newaxis, ..., np.newaxis]
    heading(f"plan for {' x '.join(map(str, x.shape))}")
    print(model.plan(x.shape))

    heading("prediction")
    cold, y = timed(lambda: model.predict(x, verbose=0))
    warm = statistics.median(timed(lambda: model.predict(x, verbose=0))[0] for _ in range(WARM_RUNS))
    probability = y[0, ..., 0]
    score = dice(sample.mask, probability > 0.5)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"first run  {cold:8.3f} s  (compiles what is not in the cache yet)")
    print(f"next runs  {warm:8.3f} s  (median of {WARM_RUNS}, {x.size / warm / 1e6:.1f} million voxels per second)")
    print(f"Dice       {score:8.3f}    ({int(sample.mask.sum()):,} voxels of nodules)")

    size = " x ".join(map(str, sample.volume.shape))
    page = picture.draw(
        sample.volume,
        probability,
        sample.mask,
        "A 3D U-Net trained in Keras, run by nb3d",
        f"{size} voxels   ·   Dice {score:.3f}   ·   {warm:.2f} s on {cores} CPU cores   ·   NumPy and Numba alone",
    )
    picture.save(page, options.output)
    print(f"\nwrote {options.output}")


if __name__ == "__main__":
    main()
