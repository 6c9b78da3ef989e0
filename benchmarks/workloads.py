"""What is measured: single layers in groups, each with its target, and whole networks.

The tests run the same layers on smaller volumes and compare every kernel with the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks import architectures
from benchmarks.networks import INPUT, Network, Step, Triple

ONE, TWO, THREE, FIVE, SEVEN = ((n, n, n) for n in (1, 2, 3, 5, 7))
_USUAL: dict[str, Any] = {"kernel": THREE, "strides": ONE, "dilation": ONE, "padding": "same"}
_TITLES = {
    "up": "transposed, 2x2x2 by 2", "max_pool": "max pooling", "average_pool": "average pooling",
    "global_average": "global average", "nearest": "upsampling by 2, nearest", "linear": "upsampling by 2, trilinear",
    "batch_norm": "batch norm", "relu": "ReLU", "softmax": "softmax over channels",
    "concat": "concatenation with itself",
}  # fmt: skip


@dataclass(frozen=True)
class Group:
    """Networks that share a target: what the time of the fastest peer over nb3d's shall be.

    Attributes:
        key: Its name on the command line.
        title: Its name in the tables.
        networks: What is measured.
        mean: Target for the geometric mean; None for no target.
        least: Target for each; None for no target.
        whole: Whether these are whole networks.
    """

    key: str
    title: str
    networks: tuple[Network, ...]
    mean: float | None = None
    least: float | None = None
    whole: bool = False


def convolution(sides: Triple, channels: int, filters: int, **options: Any) -> Network:
    """A network of one convolution."""
    window = _USUAL | options
    name = f"{_times(sides)}, {channels} to {filters}"
    for word in ("kernel", "strides", "dilation"):
        if window[word] != _USUAL[word]:
            name += f", {word} {_times(window[word])}"
    if (groups := options.get("groups", 1)) != 1:
        name += ", depthwise" if groups == channels else f", {groups} groups"
    return Network(name, (1, *sides, channels), (Step("conv", "conv", (INPUT,), filters=filters, **options),))


def layer(op: str, sides: Triple, channels: int, **options: Any) -> Network:
    """A network of any other single layer."""
    sources = (INPUT, INPUT) if op == "concat" else (INPUT,)
    title = _TITLES.get(op) or (
        "instance norm" if options["groups"] == -1 else f"group norm, {options['groups']} groups"
    )
    if "kernel" in options:
        title += f" {_times(options['kernel'])}, strides {_times(options['strides'])}"
    filters = f" to {options['filters']}" if "filters" in options else ""
    name = f"{_times(sides)}, {channels}{filters}, {title}"
    return Network(name, (1, *sides, channels), (Step(op, op, sources, **options),))


def groups() -> tuple[Group, ...]:
    """All that is measured, in the order of the tables."""
    return (
        Group("3x3x3", "Convolution 3x3x3, stride 1", _cubes(), mean=3.0, least=2.0),
        Group("windows", "Convolution 5x5x5, 1x3x3, 3x3x1, 3x1x1, stride 1", _windows(), mean=2.0),
        Group("strides", "Strides, 7x7x7, 1x1x1, dilation, groups, transposed, few filters", _strides(), 1.2, 0.8),
        Group("layers", "Layers without weights, and normalizations", _layers(), least=1.0),
        Group("corners", "Convolution 3x3x3 of very few or very many channels", _corners()),
        Group("networks", "Whole networks", tuple(architectures.whole()), mean=2.5, least=1.5, whole=True),
    )


def _cubes() -> tuple[Network, ...]:
    return (
        convolution((64, 64, 64), 32, 32),
        convolution((32, 32, 32), 64, 64),
        convolution((16, 16, 16), 128, 128),
        convolution((16, 56, 56), 64, 128),
        convolution((8, 8, 8), 256, 256),
        convolution((96, 96, 96), 16, 16),
        convolution((128, 128, 128), 8, 16),
    )


def _windows() -> tuple[Network, ...]:
    return (
        convolution((32, 32, 32), 32, 32, kernel=FIVE),
        convolution((64, 64, 64), 16, 16, kernel=FIVE),
        convolution((64, 64, 64), 32, 32, kernel=(1, 3, 3)),
        convolution((16, 56, 56), 64, 64, kernel=(1, 3, 3)),
        convolution((64, 64, 64), 32, 32, kernel=(3, 3, 1)),
        convolution((64, 64, 64), 32, 32, kernel=(3, 1, 1)),
        convolution((16, 56, 56), 64, 64, kernel=(3, 1, 1)),
    )


def _strides() -> tuple[Network, ...]:
    return (
        convolution((64, 64, 64), 32, 64, strides=TWO),
        convolution((32, 32, 32), 64, 128, strides=TWO),
        convolution((64, 64, 64), 32, 64, kernel=TWO, strides=TWO),
        convolution((64, 64, 64), 1, 32, kernel=SEVEN, strides=TWO),
        convolution((64, 64, 64), 3, 32, kernel=SEVEN, strides=TWO),
        convolution((64, 64, 64), 64, 32, kernel=ONE),
        convolution((64, 64, 64), 32, 64, kernel=ONE),
        convolution((16, 16, 16), 256, 128, kernel=ONE),
        convolution((64, 64, 64), 32, 3, kernel=ONE),
        convolution((128, 128, 128), 8, 1, kernel=ONE),
        convolution((32, 32, 32), 32, 32, dilation=TWO),
        convolution((64, 64, 64), 16, 16, dilation=TWO),
        convolution((32, 32, 32), 64, 64, groups=4),
        convolution((32, 32, 32), 64, 64, groups=8),
        convolution((32, 32, 32), 64, 64, groups=32),
        convolution((64, 64, 64), 32, 32, groups=32),
        layer("up", (32, 32, 32), 64, filters=32),
        layer("up", (32, 32, 32), 16, filters=8),
        layer("up", (16, 16, 16), 128, filters=64),
        convolution((64, 64, 64), 32, 2),
        convolution((64, 64, 64), 32, 4),
    )


def _layers() -> tuple[Network, ...]:
    sides = (64, 64, 64)
    halves = {"kernel": TWO, "strides": TWO, "padding": "valid"}
    return (
        layer("max_pool", sides, 32, **halves),
        layer("max_pool", sides, 32, kernel=THREE, strides=TWO),
        layer("average_pool", sides, 32, **halves),
        layer("global_average", sides, 32),
        layer("nearest", (32, 32, 32), 32),
        layer("linear", (32, 32, 32), 32),
        layer("batch_norm", sides, 32),
        layer("group_norm", sides, 32, groups=-1),
        layer("group_norm", sides, 32, groups=8),
        layer("relu", sides, 32),
        *(layer("softmax", sides, channels) for channels in (2, 4, 32)),
        layer("concat", sides, 32),
    )


def _corners() -> tuple[Network, ...]:
    return (
        convolution((64, 64, 64), 1, 32),
        convolution((64, 64, 64), 8, 8),
        convolution((4, 4, 4), 512, 512),
    )


def _times(sizes: Triple) -> str:
    return "x".join(map(str, sizes))
