"""``nb3d summary FILE``: the layers of a model and how they are wired."""

from __future__ import annotations

import argparse

from nb3d.cli.options import Commands, add_file
from nb3d.inspect import connectivity
from nb3d.models import load_model


def add(commands: Commands) -> None:
    """Enters the command."""
    parser = commands.add_parser("summary", help="layers, shapes and parameters of a model")
    add_file(parser)
    parser.add_argument("--connectivity", action="store_true", help="also list the inputs and outputs of every call")
    parser.add_argument("--expand", action="store_true", help="also list the layers of models within the model")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Carries it out."""
    model = load_model(options.file)
    model.summary(expand_nested=options.expand)
    if options.connectivity:
        print()
        print(connectivity(model))
