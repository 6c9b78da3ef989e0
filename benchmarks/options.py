"""What is asked of the benchmarks on the command line."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.client import Client
from benchmarks.frameworks import FRAMEWORKS, OURS
from benchmarks.networks import Network
from benchmarks.workloads import groups

SECTIONS = ("memory", "scaling", "stages")  # besides the groups of workloads.py


@dataclass(frozen=True)
class Options:
    """The command line.

    Attributes:
        peers_python: The interpreter that has the peers.
        threads: Threads of every framework.
        rounds: Rounds of every network.
        groups: Groups of `workloads.groups` and names of ``SECTIONS`` to measure.
        only: Measure networks with this in their name only; None for all.
        frameworks: Frameworks to measure.
        dry: Whether nothing is written down.
    """

    peers_python: str
    threads: int
    rounds: int
    groups: tuple[str, ...]
    only: str | None
    frameworks: tuple[str, ...]
    dry: bool

    def start(self, name: str, threads: int | None = None) -> Client:
        """A process of a framework."""
        return Client(name, sys.executable if name == OURS else self.peers_python, threads or self.threads)

    def chosen(self, networks: Iterable[Network]) -> list[Network]:
        """The networks that are asked for."""
        return [network for network in networks if self.only is None or self.only in network.name]

    @property
    def complete(self) -> bool:
        """Whether what is measured is measured completely, and may be written down."""
        return self.only is None and self.frameworks == tuple(FRAMEWORKS) and not self.dry

    def conditions(self, versions: dict[str, str], note: str = "") -> str:
        """What stands below a table: machine, versions, day, command."""
        command = shlex.join(["python", "-m", "benchmarks.run", *(_relative(word) for word in sys.argv[1:])])
        return f"{machine.describe(versions, self.threads)}\n\nCommand: `{command}`{note}."


def parse(description: str | None) -> Options:
    """Reads the command line."""
    every = (*(group.key for group in groups()), *SECTIONS)
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter that has the peers")
    parser.add_argument("--threads", type=int, default=machine.cores(), help="threads of every framework")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--group", nargs="+", choices=every, default=every, help="only these")
    parser.add_argument("--only", metavar="TEXT", help="only networks with this in their name; not written")
    parser.add_argument("--frameworks", nargs="+", choices=list(FRAMEWORKS), help="only these; not written")
    parser.add_argument("--dry", action="store_true", help="write no results")
    given = parser.parse_args()
    return Options(
        given.peers_python, given.threads, given.rounds, tuple(given.group), given.only,
        tuple(given.frameworks or FRAMEWORKS), given.dry,
    )  # fmt: skip


def _relative(word: str) -> str:
    """No path of this machine goes into the results."""
    return word if not os.path.isabs(word) else Path(word).name
