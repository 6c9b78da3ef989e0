"""``nb3d verify FILE``: what a model file holds and needs, and what is wrong with it, without loading its weights."""

from __future__ import annotations

import argparse

from nb3d.cli.options import Commands, add_file
from nb3d.saving import verify_file


def add(commands: Commands) -> None:
    """Enters the command."""
    parser = commands.add_parser("verify", help="check a model file without loading its weights")
    add_file(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Carries it out."""
    report = verify_file(options.file)
    print(report)
    if report.problems:
        raise ValueError(f"{options.file}: {len(report.problems)} problem(s) found")
