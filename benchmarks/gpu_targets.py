"""What measurements on a GPU say about the targets: geometric means of ratios, and shares of what the card can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import geometric_mean

EAGER, COMPILED = "PyTorch", "torch.compile"
# What nb3d computes in one precision, PyTorch computes in the one that is nearest.
PEER_PRECISION = {"float32": "float32", "fast_float32": "float32", "tf32": "tf32", "bfloat16": "bfloat16"}


@dataclass(frozen=True)
class Measured:
    """One workload in one precision.

    Attributes:
        work: Its name.
        precision: nb3d's.
        whole: Whether it is a network.
        seconds: Of nb3d.
        flops: By the definition of the convolution.
        error: Largest difference from nb3d's ``float32``, relative to the largest output.
        peers: Peer -> its seconds, or why there are none.
    """

    work: str
    precision: str
    whole: bool
    seconds: float
    flops: int
    error: float
    peers: dict[str, float | str] = field(default_factory=dict)

    @property
    def speed(self) -> float:
        """TFLOP/s."""
        return self.flops / self.seconds / 1e12

    def ratio(self, peer: str) -> float | None:
        """The peer's time over nb3d's: above 1, nb3d is the faster."""
        seconds = self.peers.get(peer)
        return seconds / self.seconds if isinstance(seconds, float) else None

    def row(self) -> str:
        """A line of the table."""
        cells = [self.work, self.precision, f"{1e6 * self.seconds:.1f}", f"{self.speed:.1f}", f"{self.error:.1e}"]
        for peer in (EAGER, COMPILED):
            found = self.peers.get(peer, "-")
            ratio = self.ratio(peer)
            cells.append(found if isinstance(found, str) else f"{1e6 * found:.1f} ({ratio:.2f})")
        return f"| {' | '.join(cells)} |"


HEAD = (
    f"| work | precision | nb3d us | TFLOP/s | error | {EAGER} us (ratio) | {COMPILED} us (ratio) |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
)


def targets(results: Sequence[Measured], ceiling: float | None) -> Iterator[str]:
    """Yields a line for every target.

    Args:
        results: What was measured.
        ceiling: TFLOP/s of a large ``float32`` matrix product on this card, if somebody measured it.
    """
    yield "| target | at least | measured | of |"
    yield "| --- | ---: | ---: | ---: |"
    for precision in ("float32", "fast_float32", "tf32", "bfloat16"):
        layers = [item for item in results if item.precision == precision and not item.whole]
        yield _mean(f"3x3x3 layers, {precision}, beside {EAGER}", 1.0, layers, EAGER)
    for precision in ("float32", "fast_float32"):  # both within the error of float32
        networks = [item for item in results if item.precision == precision and item.whole]
        for peer, least in ((EAGER, 1.5), (COMPILED, 1.0)):
            yield _mean(f"networks, {precision}, beside {peer}", least, networks, peer)
    speeds = [item.speed for item in results if item.precision == "float32" and not item.whole]
    share = f"{max(speeds) / ceiling:.0%}" if speeds and ceiling else "owed"
    yield f"| share of a float32 matrix product's speed, best layer | 75% | {share} | {len(speeds)} |"


def _mean(name: str, least: float, items: Iterable[Measured], peer: str) -> str:
    known = [ratio for item in items if (ratio := item.ratio(peer)) is not None]
    return f"| {name} | {least:.1f} | {f'{geometric_mean(known):.2f}' if known else 'owed'} | {len(known)} |"
