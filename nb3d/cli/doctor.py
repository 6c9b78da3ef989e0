"""``nb3d doctor``: whether the GPU can be used; if not, why, and what to do."""

from __future__ import annotations

import argparse

from nb3d.cli.options import Commands
from nb3d.kernels.cuda.diagnosis import probe, try_compiler


def add(commands: Commands) -> None:
    """Enters the command."""
    parser = commands.add_parser("doctor", help="whether the GPU can be used, and what to do if not")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Carries it out."""
    findings = [*probe(), try_compiler()]
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        print(f"{'ok' if finding.good else 'NO':2}  {finding.subject:{width}}  {finding}")
    bad = [finding for finding in findings if not finding.good]
    print(f"The GPU cannot be used: {bad[0]}." if bad else "The GPU can be used: device='cuda'.")
