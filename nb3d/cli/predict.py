"""``nb3d predict FILE IN.npy -o OUT.npy``: run a model on arrays."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

import numpy as np

from nb3d.cli.options import Commands, add_device, add_file, positive
from nb3d.models import load_model
from nb3d.saving.atomic import replacing

_RESERVED = frozenset(("file", "allow_pickle"))  # names that numpy.savez keeps for itself


def add(commands: Commands) -> None:
    """Enters the command."""
    parser = commands.add_parser("predict", help="run a model on arrays in .npy files")
    add_file(parser)
    parser.add_argument("inputs", metavar="IN.npy", nargs="+", help="one array per input; one sample, or samples first")
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT.npy", help="where to write; .npz for a model with several outputs"
    )
    parser.add_argument("-f", "--force", action="store_true", help="replace OUT if it is there already")
    parser.add_argument("-q", "--quiet", action="store_true", help="show no progress and no result")
    parser.add_argument("--batch-size", type=positive, metavar="N", help="samples at a time")
    add_device(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Carries it out; what can fail without running fails first."""
    ending = os.path.splitext(options.output)[1]
    if ending not in (".npy", ".npz"):
        raise ValueError(f"{options.output}: expected a name that ends in .npy or .npz, got {ending!r}")
    if os.path.lexists(options.output) and not options.force:
        raise FileExistsError(f"{options.output} is there already; --force replaces it")
    model = load_model(options.file)
    if len(model.outputs) > 1 and ending == ".npy":
        raise ValueError(f"{options.output}: the model has {len(model.outputs)} outputs, expected the ending .npz")
    if len(options.inputs) != len(model.inputs):
        raise ValueError(f"the model has {len(model.inputs)} inputs, got {len(options.inputs)} files")
    arrays = [_read(path, tensor.shape) for path, tensor in zip(options.inputs, model.inputs, strict=True)]
    single = all(array.ndim == len(tensor.shape) - 1 for array, tensor in zip(arrays, model.inputs, strict=True))
    if single:
        arrays = [array[np.newaxis] for array in arrays]
    start = time.perf_counter()
    outputs = model.predict(
        arrays, batch_size=options.batch_size, verbose=0 if options.quiet else "auto", device=options.device
    )
    seconds = time.perf_counter() - start
    results = _named(outputs, model)
    if single:
        results = {name: array[0] for name, array in results.items()}
    with replacing(options.output, overwrite=options.force) as stream:
        if ending == ".npz":
            np.savez(stream, **results)  # type: ignore[arg-type]  # none is called allow_pickle: _RESERVED
        else:
            np.save(stream, next(iter(results.values())))
    if not options.quiet:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in results.items())
        print(f"{options.output}: {shapes}, {seconds:.2f} s", file=sys.stderr)


def _read(path: str, wanted: Any) -> np.ndarray:
    """An array of numbers that fits an input, mapped and not loaded."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: this is no .npy file of numbers: {error}") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        raise ValueError(f"{path}: expected one array of numbers, got {getattr(array, 'dtype', 'several arrays')}")
    shape = (None, *(array.shape[1:] if array.ndim == len(wanted) else array.shape))  # any number of samples
    if len(shape) != len(wanted) or any(None not in (w, s) and w != s for w, s in zip(wanted, shape, strict=True)):
        raise ValueError(f"{path}: expected shape {wanted}, or {wanted[1:]} for one sample, got {array.shape}")
    return array


def _named(outputs: Any, model: Any) -> dict[str, np.ndarray]:
    """Outputs by their names: those of a dict, or of the layers that they come from; numbers where that cannot be."""
    if isinstance(outputs, dict):
        names, arrays = list(outputs), list(outputs.values())
    else:
        names, arrays = model.output_names, outputs if isinstance(outputs, list) else [outputs]
    if len(set(names)) < len(names) or not _RESERVED.isdisjoint(names):
        names = [f"output_{number}" for number in range(len(arrays))]
    return dict(zip(names, arrays, strict=True))
