"""``nb3d plan FILE --shape D,H,W``: what a prediction would do and need, before anything runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from nb3d.cli.options import Commands, add_device, add_file, add_shapes
from nb3d.models import Model, load_model

Sizes = tuple[int, ...]


def add(commands: Commands) -> None:
    """Enters the command."""
    parser = commands.add_parser("plan", help="steps, kernels, arithmetic and memory of a prediction")
    add_file(parser)
    add_shapes(parser)
    add_device(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Carries it out."""
    model = load_model(options.file)
    print(model.plan(*batch_shapes(model, options.shape, options.batch), device=options.device))


def batch_shapes(model: Model, sizes: list[Sizes], batch: int) -> list[Sizes]:
    """The shapes of the arrays that a model gets.

    Args:
        model: The model.
        sizes: Those of a sample of every input, with or without channels; empty for the model's own.
        batch: Samples at a time.

    Raises:
        ValueError: If they do not fit.
    """
    given: Sequence[Sizes | None] = sizes or [None] * len(model.inputs)
    if len(given) != len(model.inputs):
        raise ValueError(f"the model has {len(model.inputs)} inputs: expected as many --shape, got {len(given)}")
    return [
        (tensor.shape[0] or batch, *sample_shape(name, tensor.shape[1:], shape))
        for name, tensor, shape in zip(model.input_names, model.inputs, given, strict=True)
    ]


def sample_shape(name: str, wanted: Any, given: Sizes | None) -> Sizes:
    """The shape of one sample: `given`, with the channels that the model knows where they are left out.

    Args:
        name: Name of the input.
        wanted: Sizes of the model's input, ``None`` where free.
        given: Sizes, with or without the channels; ``None`` for the model's own.

    Raises:
        ValueError: If they do not fit.
    """
    if given is None:
        if None in wanted:
            raise ValueError(f"input {name!r} of shape {wanted} has free sizes: name them with --shape D,H,W")
        return tuple(wanted)
    candidates = [given]
    if len(given) == len(wanted) - 1:  # channels last, or else first
        candidates = [(*given, wanted[-1]), (wanted[0], *given)]
    for shape in candidates:
        if len(shape) != len(wanted) or None in shape:
            continue
        if all(w in (None, size) for w, size in zip(wanted, shape, strict=True)):
            return shape
    raise ValueError(f"input {name!r} expects sizes {wanted}, got {given}")
