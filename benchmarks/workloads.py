"""What is measured: the large convolutions of the kernels' table of cases, the design's four first, and a 3D U-Net."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.networks import INPUT, Network, Step, paddings, single_convolution, unet

USUAL = {"kernel": (3, 3, 3), "strides": (1, 1, 1), "dilation": (1, 1, 1)}


def workloads() -> list[Network]:
    """All networks to measure, in the order of the table."""
    from tests.kernels.large_cases import BENCHMARKS

    cases = [example.case for example in BENCHMARKS]
    convolutions = [convolution(case) for case in cases if case.op == "conv3d"]
    transposed = [transposed_convolution(case) for case in cases if case.op == "conv3d_transpose" and _doubles(case)]
    return [*convolutions, *transposed, unet()]


def convolution(case: Any) -> Network:
    """A network of one convolution with its bias, from a case as kernels see it; its activation is left out.

    Raises:
        ValueError: Its padding is neither ``same`` nor ``valid``.
    """
    shape, (*kernel, _, filters), bias = case.inputs[:3]
    strides, before, dilation = (tuple(case.params[i : i + 3]) for i in (0, 3, 6))
    window = {"kernel": tuple(kernel), "strides": strides, "dilation": dilation}
    name = _name(shape, filters, window, case.params[9])
    for padding in ("same", "valid"):
        network = single_convolution(
            name, shape, filters=filters, padding=padding, groups=case.params[9], bias=bias != (0,), **window
        )
        step = network.steps[0]
        if network.shapes()[step.name] == case.out and tuple(pair[0] for pair in paddings(step, shape)) == before:
            return network
    raise ValueError(f"Padding {before} of {case} is neither same nor valid.")


def transposed_convolution(case: Any) -> Network:
    """A network of one transposed convolution that doubles every side."""
    shape, filters = case.inputs[0], case.out[-1]
    step = Step("up", "up", (INPUT,), filters=filters)
    return Network(f"{_name(shape, filters, USUAL, 1)}, transposed, 2x2x2 by 2", shape, (step,))


def _doubles(case: Any) -> bool:
    return (case.inputs[1][:3], case.params[:9]) == ((2, 2, 2), (2, 2, 2, 0, 0, 0, 1, 1, 1))


def _name(shape: tuple[int, ...], filters: int, window: Mapping[str, tuple[int, ...]], groups: int) -> str:
    """Sides, channels in and out, and what is not as usual."""
    batch, *sides, channels = shape
    name = f"{'x'.join(map(str, sides))}, {channels} to {filters}"
    for word, usual in USUAL.items():
        if window[word] != usual:
            name += f", {word} {'x'.join(map(str, window[word]))}"
    if groups != 1:
        name += ", depthwise" if groups == channels else f", {groups} groups"
    return name + (f", batch {batch}" if batch != 1 else "")
