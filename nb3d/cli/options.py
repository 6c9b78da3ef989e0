"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from typing import Any

Commands = Any  # argparse keeps the type of its sub-parsers to itself

DEVICES = ("auto", "cpu", "cuda")


def add_file(parser: argparse.ArgumentParser, optional: bool = False) -> None:
    """The model file."""
    number = "?" if optional else None
    parser.add_argument("file", metavar="FILE", nargs=number, help="model file: .keras, .h5, .hdf5 or .safetensors")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Where to run."""
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to run (default: %(default)s)")


def add_architectures(parser: argparse.ArgumentParser) -> None:
    """Which GPUs to compile for."""
    parser.add_argument(
        "--arch",
        type=lambda text: text.split(","),
        action="extend",
        default=[],
        metavar="SM,...",
        help="with --device cuda: compile for these GPUs, such as sm_80,sm_90a; this machine needs none then",
    )


def add_shapes(parser: argparse.ArgumentParser) -> None:
    """The sizes of the inputs, and how many samples at a time."""
    parser.add_argument(
        "--shape",
        type=sizes,
        action="append",
        default=[],
        metavar="D,H,W[,C]",
        help="sizes of the input, once per input; the model's own where absent",
    )
    parser.add_argument("--batch", type=positive, default=1, metavar="N", help="samples at a time (default: 1)")


def positive(text: str) -> int:
    """A whole number above zero."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text!r}")
    return number


def sizes(text: str) -> tuple[int, ...]:
    """Sizes with commas between them: ``64,64,32``."""
    return tuple(positive(part) for part in text.split(","))
