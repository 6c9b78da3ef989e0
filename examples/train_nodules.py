"""Trains the demo's network in real Keras: a small 3D U-Net that finds the nodules of `nodules.py`.

Run it where Keras 3 and TensorFlow are installed; a few minutes on two cores:

    python examples/train_nodules.py

It writes `examples/nodules_unet.keras` and, for the tests, `tests/models/nodules_unet/`: what real Keras computes with
it for two small batches. The input's sides are `None`, so the one network takes volumes of any size divisible by 4.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nodules import Field, dice, make_batch, make_sample

HERE = Path(__file__).resolve().parent
NETWORK = HERE / "nodules_unet.keras"
EXPECTED = HERE.parent / "tests" / "models" / "nodules_unet"
SEED = 7
FRESH_SEED = 1_000_000       # volumes that training never saw


def block(x: Any, filters: int, name: str) -> Any:
    """Two convolutions, each normalized and rectified."""
    for i in (1, 2):
        x = keras.layers.Conv3D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv{i}")(x)
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm{i}")(x)
        x = keras.layers.ReLU(name=f"{name}_relu{i}")(x)
    return x


def build(base: int = 8) -> Any:
    """A U-Net of three levels; `base` filters on the first, twice as many on each further one."""
    volume = keras.Input((None, None, None, 1), name="volume")
    fine = block(volume, base, "fine")
    middle = block(keras.layers.MaxPooling3D(2, name="fine_pool")(fine), 2 * base, "middle")
    coarse = block(keras.layers.MaxPooling3D(2, name="middle_pool")(middle), 4 * base, "coarse")
    coarse = keras.layers.Dropout(0.1, name="coarse_dropout")(coarse)
    up = keras.layers.Conv3DTranspose(2 * base, 2, strides=2, name="middle_up")(coarse)
    x = block(keras.layers.Concatenate(name="middle_skip")([up, middle]), 2 * base, "middle_merge")
    up = keras.layers.Conv3DTranspose(base, 2, strides=2, name="fine_up")(x)
    x = block(keras.layers.Concatenate(name="fine_skip")([up, fine]), base, "fine_merge")
    nodule = keras.layers.Conv3D(1, 1, activation="sigmoid", name="nodule")(x)
    return keras.Model(volume, nodule, name="nodules_unet")


def dice_and_entropy(truth: Any, found: Any) -> Any:
    """One minus the soft Dice score, plus the binary cross-entropy."""
    overlap = 2.0 * keras.ops.sum(truth * found) + 1.0
    dice_loss = 1.0 - overlap / (keras.ops.sum(truth) + keras.ops.sum(found) + 1.0)
    return dice_loss + keras.ops.mean(keras.losses.binary_crossentropy(truth, found))


def train(samples: int, side: int, epochs: int) -> Any:
    """Trains on small volumes; returns a network that was never compiled, so that its file holds nothing else."""
    volumes, masks = make_batch(samples, (side, side, side), SEED)
    steps = epochs * (samples // 4)
    rate = keras.optimizers.schedules.CosineDecay(4e-3, steps)
    model = build()
    model.compile(keras.optimizers.Adam(rate), loss=dice_and_entropy)
    model.fit(volumes, masks, batch_size=4, epochs=epochs, verbose=2)
    clean = build()
    clean.set_weights(model.get_weights())
    return clean


def score(model: Any, side: int, count: int) -> list[float]:
    """Dice scores on volumes that training never saw."""
    scores = []
    for i in range(count):
        sample = make_sample((side, side, side), FRESH_SEED + i)
        found = model.predict(sample.volume[np.newaxis, ..., np.newaxis], verbose=0)[0, ..., 0]
        scores.append(dice(sample.mask, found > 0.5))
    return scores


def record(model: Any, batches: list[Field], folder: Path) -> None:
    """Writes what Keras computes: `expected.npz` and a `meta.json` that says what is in it."""
    arrays: dict[str, Any] = {}
    shapes = []
    for i, batch in enumerate(batches):
        output = model.predict(batch, verbose=0)
        arrays |= {f"b{i}_in0": batch, f"b{i}_out0": output}
        shapes.append({"inputs": [list(batch.shape)], "outputs": [list(output.shape)]})
    meta = {
        "name": "nodules_unet",
        "doc": "The demo's network: a 3D U-Net trained by examples/train_nodules.py.",
        "seed": SEED,
        "keras_version": keras.__version__,
        "params": model.count_params(),
        "n_layers": len(model.layers),
        "data_format": "channels_last",
        "input_names": [tensor.name for tensor in model.inputs],
        "output_names": list(model.output_names),
        "input_shapes": [list(tensor.shape) for tensor in model.inputs],
        "batches": shapes,
        "layer_types": sorted({type(layer).__name__ for layer in model.layers}),
        "files": {"keras": ["../../../examples/nodules_unet.keras"]},
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "expected.npz", **arrays)
    (folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n", encoding="utf8")


def main() -> None:
    """Trains, scores, saves and records."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=160, help="training volumes")
    parser.add_argument("--side", type=int, default=40, help="voxels along each side of a training volume")
    parser.add_argument("--epochs", type=int, default=14)
    options = parser.parse_args()

    keras.utils.set_random_seed(SEED)
    start = time.perf_counter()
    model = train(options.samples, options.side, options.epochs)
    print(f"trained {model.count_params():,} parameters in {time.perf_counter() - start:.0f} s")
    scores = score(model, 96, 4)
    print("Dice on fresh volumes of 96^3:", ", ".join(f"{value:.3f}" for value in scores))
    model.save(NETWORK)
    small = [make_batch(count, shape, FRESH_SEED)[0] for count, shape in ((1, (24, 16, 20)), (2, (12, 20, 16)))]
    record(model, small, EXPECTED)
    print(f"wrote {NETWORK.name}, {NETWORK.stat().st_size:,} bytes, and {EXPECTED.name}/")


if __name__ == "__main__":
    main()
