"""``nb3d doctor``: whether the GPU can be used; if not, why, and what to do. ``--test`` tries every kernel there."""

from __future__ import annotations

import argparse

from nb3d.cli.options import Commands
from nb3d.kernels.cuda import trial_record
from nb3d.kernels.cuda.diagnosis import probe, try_compiler
from nb3d.models.gpu_trial import trial


def add(commands: Commands) -> None:
    """Enters the command."""
    parser = commands.add_parser("doctor", help="whether the GPU can be used, and what to do if not")
    parser.add_argument(
        "--test", action="store_true",
        help="compute small networks there and compare; once they agree, device='auto' uses the GPU",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Carries it out."""
    findings = [*probe(), try_compiler()]
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        print(f"{'ok' if finding.good else 'NO':2}  {finding.subject:{width}}  {finding}")
    bad = [finding for finding in findings if not finding.good]
    print(f"The GPU cannot be used: {bad[0]}." if bad else "The GPU can be used: device='cuda'.")
    if options.test:
        if bad:
            raise RuntimeError(f"without a GPU there is nothing to test: {bad[0]}")
        _test()
    elif not bad:
        tried = trial_record.finding()
        print(f"device='auto' {'uses it' if tried.good else f'does not use it: {tried}'}.")


def _test() -> None:
    failed = []
    for result in trial():
        print(f"{'ok' if result.passed else 'NO':2}  {result.name}: {result.detail}", flush=True)
        failed += [] if result.passed else [result.name]
    if failed:
        raise RuntimeError(f"the GPU does not compute what the CPU computes: {'; '.join(failed)}")
    kept = trial_record.remember()
    print("All passed: device='auto' uses the GPU from now on." if kept else "All passed, but it cannot be kept.")
