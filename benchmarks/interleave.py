"""Runs in turns: round after round everybody runs once, so that all see the same noise of the machine."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.client import Client

SECONDS_PER_TURN = 0.1  # small networks run several times in a turn
SLOW, FEW = 2.0, 3  # who takes so many seconds for one run sits out all rounds but the first few
FAR = 5.0  # who takes so many times as long as the second fastest sits out all rounds but the first


@dataclass
class Runner:
    """A network that lies ready in a process of its own, and what its runs took.

    Attributes:
        client: The process.
        seconds: One figure per round.
    """

    client: Client
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The figure that counts."""
        return statistics.median(self.seconds)


def interleave(runners: Sequence[Runner], rounds: int, far: float = FAR) -> None:
    """Lets all run in turns; their figures are in `Runner.seconds` afterwards."""
    counts = {id(runner): _runs_per_turn(runner.client.run(1)[0]) for runner in runners}
    for runner in _turns(runners, rounds):
        if not _sits_out(runner, runners, far):
            runner.seconds.append(statistics.median(runner.client.run(counts[id(runner)])))


def _runs_per_turn(seconds: float) -> int:
    return max(1, min(20, math.ceil(SECONDS_PER_TURN / seconds)))


def _turns(runners: Sequence[Runner], rounds: int) -> Iterator[Runner]:
    """Everyone once per round; who begins changes, and so does the direction."""
    for number in range(rounds):
        shift = number % max(1, len(runners))
        order = [*runners[shift:], *runners[:shift]]
        yield from reversed(order) if number % 2 else order


def _sits_out(runner: Runner, runners: Sequence[Runner], far: float) -> bool:
    """Whether another run would tell nothing new: it is slow, or far behind once all have run."""
    if not all(other.seconds for other in runners):
        return False
    second = sorted(other.median for other in runners)[:2][-1]
    return runner.median > far * second or (runner.median > SLOW and len(runner.seconds) >= FEW)
