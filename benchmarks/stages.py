"""Where nb3d's time goes: Winograd's products and transforms, other products, everything else.

A network runs as ever, its steps one by one. A convolution by Winograd's algorithm runs a second time without its
transforms: the same task, with functions in their places that do nothing. What is left are the products of transformed
voxels and weights; what they take less are the transforms, and the waiting for memory that they do.

The share of the FMA peak counts multiply-adds that are needed, not those with the zeros that fill up vectors. Those of
Winograd's algorithm are of transformed values, 2 to 8 times fewer than the definition has. The peak is measured: the
register tile on data in L1, on all threads at once.
"""

from __future__ import annotations

import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import numpy as np

import nb3d
from benchmarks.architectures import whole
from benchmarks.frameworks import keras_like, nb3d_cpu
from benchmarks.networks import Network
from benchmarks.options import Options
from benchmarks.tables import table
from benchmarks.workloads import groups

PRODUCTS = frozenset({"conv3d", "conv3d_transpose", "dense"})
SHAPES = ("3x3x3", "windows")  # groups of single layers that are looked at

CAPTION = """Shares of the time of nb3d's steps: products and transforms of the convolutions that Winograd's algorithm
computes, all other convolutions and dense layers, everything else. Then the share of the FMA peak in Winograd's
products and in the other ones: of the multiply-adds that are carried out, without those that only fill up vectors. The
peak is {peak:.0f} GFLOP/s, as the register tile reaches it on data in L1. Medians of {runs} runs."""


@dataclass
class Stages:
    """Seconds and multiply-adds of a network, by what they are spent on."""

    products: float = 0.0
    transforms: float = 0.0
    others: float = 0.0
    rest: float = 0.0
    products_macs: int = 0
    others_macs: int = 0

    @property
    def seconds(self) -> float:
        """All together."""
        return self.products + self.transforms + self.others + self.rest


def section(asked: Options) -> str:
    """Measures whole networks and some single layers; returns the table."""
    os.environ["NUMBA_NUM_THREADS"] = str(asked.threads)  # before anything asks for kernels
    singles = [network for group in groups() if group.key in SHAPES for network in group.networks]
    found: dict[str, Stages] = {}
    highest = 0.0
    for network in asked.chosen([*whole(), *singles]):
        highest = max(highest, peak(asked.threads))
        try:
            found[network.name] = measure(network, asked.rounds)
        except NotImplementedError as error:
            print(f"{network.name}: {error}", file=sys.stderr)
    head = ["network", "ms", "Winograd: products", "transforms", "others", "rest", "of the peak: Winograd", "others"]
    lines = [head, *(_line(name, stages, highest) for name, stages in found.items())]
    caption = CAPTION.format(peak=highest / 1e9, runs=asked.rounds)
    return f"{caption}\n\n{table(lines)}\n\n{asked.conditions({'nb3d': nb3d_cpu.version()})}"


def _line(name: str, found: Stages, highest: float) -> list[str]:
    shares = (found.products, found.transforms, found.others, found.rest)
    rates = ((found.products_macs, found.products), (found.others_macs, found.others))
    return [
        name, f"{1e3 * found.seconds:.1f}",
        *(f"{share / found.seconds:.0%}" for share in shares),
        *(f"{2 * macs / seconds / highest:.0%}" if seconds else "-" for macs, seconds in rates),
    ]  # fmt: skip


def measure(network: Network, runs: int) -> Stages:
    """Runs a network step by step; medians of every step."""
    from nb3d.plan.cost import flops

    found = Stages()
    for step in _watched(network, runs):
        seconds = statistics.median(step.seconds[1:])  # the first run loaded what is new here
        if step.products:
            products = statistics.median(step.products[1:])
            found.products += products
            found.transforms += seconds - products
            found.products_macs += winograd_macs(step.item.case)
        elif step.item.case.op in PRODUCTS:
            found.others += seconds
            found.others_macs += flops(step.item.case) // 2
        else:
            found.rest += seconds
    return found


@dataclass
class _Watched:
    """A step of a plan, what it took in every run, and what its products took without transforms."""

    item: Any
    bare: Callable[..., None] | None
    seconds: list[float] = field(default_factory=list)
    products: list[float] = field(default_factory=list)


def _watched(network: Network, runs: int) -> list[_Watched]:
    from nb3d.plan import watch

    model, x = keras_like.build(nb3d, network), network.volume()
    steps: list[_Watched] = []
    known: Iterator[_Watched] = iter(())

    def timed(item: Any, kernel: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        step = next(known, None)
        if step is None:
            by_winograd = item.choice.implementation.name == "winograd"
            step = _Watched(item, without_transforms(item.case) if by_winograd else None)
            steps.append(step)
        step.seconds.append(_seconds(kernel, arguments))
        if step.bare is not None:
            step.products.append(_seconds(step.bare, arguments))

    with patch.dict(os.environ, {"NB3D_DEBUG": "2"}), patch.object(watch, "timed", timed):
        for _ in range(runs + 1):
            known = iter(tuple(steps))
            model.predict_on_batch(x)
    return steps


def without_transforms(case: Any) -> Callable[..., None]:
    """The kernel of a convolution by Winograd's algorithm that multiplies whatever lies in its scratch."""
    from numba import types

    from nb3d.kernels.cpu import conv3d_winograd
    from nb3d.kernels.cpu.compile import native

    @native(types.void(*[types.int64] * 3))
    def nothing_of_three(a: Any, b: Any, c: Any) -> None:
        return

    @native(types.void(*[types.int64] * 7))
    def nothing_of_seven(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any) -> None:
        return

    instead = {
        "planes": nothing_of_seven,
        "write": nothing_of_seven,
        "spread": nothing_of_three,
        "gather": nothing_of_three,
        "weights": nothing_of_three,
    }
    with ExitStack() as stack:
        for name, function in instead.items():
            stack.enter_context(patch.object(conv3d_winograd, name, lambda *_, function=function: function))
        stack.enter_context(patch.object(conv3d_winograd, "finish_address", lambda *_: 0))
        return conv3d_winograd.load(case)


def winograd_macs(case: Any) -> int:
    """Multiply-adds of transformed voxels and weights."""
    from nb3d.kernels import policy
    from nb3d.kernels.cpu.winograd import words as word
    from nb3d.kernels.cpu.winograd.blocks import arrange
    from nb3d.kernels.cpu.winograd.cost import fastest

    choice = fastest(case, policy.current().max_error)
    assert choice is not None
    work = arrange(case, choice.tile, choice.fresh)
    sizes = (int(work.words[i]) for i in (word.GROUPS, word.TILES, word.CHANNELS, word.FILTERS))
    return math.prod(sizes) * math.prod(axis.n for axis in work.axes)


def peak(threads: int) -> float:
    """FLOP/s of the register tile on data that stays in L1, on so many threads at once."""
    from nb3d.kernels.cpu.microkernel import lanes_of, most_rows, tile

    columns, length, count = 2, 64, 4096
    rows, width = most_rows(columns), columns * lanes_of("float32")
    function = tile(rows, columns, "float32").compiled.ctypes
    runs = np.zeros((count, 2), np.int64)

    def work(_: int) -> None:
        a, b, c = (np.zeros(size, np.float32) for size in (rows * length, length * width, rows * width))
        at_a, at_b, at_c = (array.ctypes.data for array in (a, b, c))
        for _ in range(5):
            function(at_a, 4 * length, runs.ctypes.data, count, length, at_b, at_c, 4 * width, 0, width, 0)

    with ThreadPoolExecutor(threads) as pool:
        seconds = [_seconds(lambda: list(pool.map(work, range(threads))), ()) for _ in range(12)]
    return 2 * 5 * threads * rows * width * length * count / min(seconds)


def _seconds(function: Callable[..., Any], arguments: tuple[Any, ...]) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start
