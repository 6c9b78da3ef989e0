"""``nb3d warmup [FILE --shape D,H,W] [--arch sm_90a]``: kernels compiled before they are needed."""

from __future__ import annotations

import argparse
import warnings

from nb3d.cli.options import Commands, add_architectures, add_device, add_file, add_shapes
from nb3d.cli.plan import batch_shapes
from nb3d.models import load_model
from nb3d.models.warmup import warmup


def add(commands: Commands) -> None:
    """Enters the command."""
    parser = commands.add_parser(
        "warmup",
        help="compile kernels ahead of the first prediction",
        description="Compile the kernels of a model, or of usual networks, into the cache (see nb3d cache info).",
    )
    add_file(parser, optional=True)
    add_shapes(parser)
    add_device(parser)
    add_architectures(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Carries it out. What is a warning elsewhere is a failure here: that there is no place to keep kernels in."""
    if options.file is None and (options.shape or options.batch > 1):
        raise ValueError("--shape and --batch are those of a model: name its FILE")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "nb3d compiles its kernels anew", RuntimeWarning)
        if options.file is None:
            print(warmup(device=options.device, architecture=options.arch))
        else:
            model = load_model(options.file)
            shapes = batch_shapes(model, options.shape, options.batch)
            print(warmup(model, *shapes, device=options.device, architecture=options.arch))
