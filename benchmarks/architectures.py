"""Whole networks that people run on volumes and videos, with random weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.networks import INPUT, Network, Step, Triple


@dataclass
class _Chain:
    """Steps, one after the other: each takes the last one's result unless it is told another."""

    steps: list[Step] = field(default_factory=list)
    last: str = INPUT

    def add(self, name: str, op: str, *inputs: str, **options: Any) -> str:
        """Adds a step and returns its name."""
        self.steps.append(Step(name, op, inputs or (self.last,), **options))
        self.last = name
        return name

    def convolution(self, name: str, *inputs: str, norm: dict[str, Any] | None = None, **options: Any) -> str:
        """Adds a convolution, and its normalization where it has one: then it needs no bias."""
        self.add(f"{name}_conv", "conv", *inputs, bias=norm is None, **options)
        return self.last if norm is None else self.add(f"{name}_norm", **norm)


# Which normalization, as options of a step; group and instance normalization go with the leaky ReLU of nnU-Net.
BATCH, GROUPS, INSTANCE = {"op": "batch_norm"}, {"op": "group_norm", "groups": 8}, {"op": "group_norm", "groups": -1}
_NORM_NAMES = {"batch_norm": "batch norm", 8: "group norm", -1: "instance norm"}


def unet(side: int = 64, levels: int = 4, base: int = 32, norm: dict[str, Any] = BATCH) -> Network:
    """The 3D U-Net of the papers: two convolutions with normalization per level, transposed convolutions up."""
    chain, batch = _Chain(), norm == BATCH

    def block(name: str, filters: int) -> str:
        for i in (1, 2):
            chain.convolution(f"{name}_{i}", filters=filters, norm=norm)
            chain.add(f"{name}_{i}_activation", "relu" if batch else "leaky_relu")
        return chain.last

    skips = []
    for level in range(levels - 1):
        skips.append(block(f"down{level}", base << level))
        chain.add(f"pool{level}", "max_pool", kernel=(2, 2, 2), strides=(2, 2, 2), padding="valid")
    block("bottom", base << (levels - 1))
    for level in reversed(range(levels - 1)):
        up = chain.add(f"up{level}", "up", filters=base << level)
        chain.add(f"skip{level}", "concat", up, skips[level])
        block(f"merge{level}", base << level)
    chain.add("classes", "conv", filters=2, kernel=(1, 1, 1))
    chain.add("probabilities", "sigmoid")
    which = "" if batch else f"{_NORM_NAMES[norm['groups']]}, leaky ReLU, "
    name = f"3D U-Net, {levels} levels, base {base}, {which}{side}^3"
    return Network(name, (1, side, side, side, 1), tuple(chain.steps))


def resnet18(sides: Triple = (16, 112, 112), base: int = 64, classes: int = 400) -> Network:
    """The 3D ResNet-18 of Tran et al., https://arxiv.org/abs/1711.11248: a stem, eight residual blocks, a dense layer.

    Where strides are 2, volumes are padded on both sides, as PyTorch does it; Keras' ``same`` would pad behind only.
    """
    chain = _Chain()

    def window(kernel: Triple, stride: int) -> dict[str, Any]:
        padding = "same" if stride == 1 else tuple(k // 2 for k in kernel)
        return {"kernel": kernel, "strides": (stride,) * 3, "padding": padding, "norm": BATCH}

    def block(name: str, filters: int, stride: int) -> None:
        source = chain.last
        chain.convolution(f"{name}_1", filters=filters, **window((3, 3, 3), stride))
        chain.add(f"{name}_1_relu", "relu")
        main = chain.convolution(f"{name}_2", filters=filters, **window((3, 3, 3), 1))
        if stride != 1:
            source = chain.convolution(f"{name}_short", source, filters=filters, **window((1, 1, 1), stride))
        chain.add(f"{name}_sum", "add", main, source)
        chain.add(f"{name}_relu", "relu")

    stem = window((3, 7, 7), 2) | {"strides": (1, 2, 2)}
    chain.convolution("stem", filters=base, **stem)
    chain.add("stem_relu", "relu")
    for level in range(4):
        for i in (1, 2):
            block(f"level{level}_{i}", base << level, stride=2 if level and i == 1 else 1)
    chain.add("average", "global_average")
    chain.add("classes", "dense", filters=classes)
    return Network(f"3D ResNet-18, {_times(sides)}", (1, *sides, 3), tuple(chain.steps))


def c3d(sides: Triple = (16, 112, 112), base: int = 64, dense: int = 4096, classes: int = 487) -> Network:
    """C3D of Tran et al., https://arxiv.org/abs/1412.0767: eight convolutions, five poolings, three dense layers."""
    chain = _Chain()
    for number, (width, count) in enumerate(((1, 1), (2, 1), (4, 2), (8, 2), (8, 2)), start=1):
        for i in range(count):
            chain.add(f"conv{number}_{i}", "conv", filters=width * base)
            chain.add(f"conv{number}_{i}_relu", "relu")
        window: Triple = (1, 2, 2) if number == 1 else (2, 2, 2)
        padding = "same" if number == 5 else "valid"  # 7 voxels become 4
        chain.add(f"pool{number}", "max_pool", kernel=window, strides=window, padding=padding)
    for number in (6, 7):
        chain.add(f"dense{number}", "dense", filters=dense)
        chain.add(f"dense{number}_relu", "relu")
    chain.add("classes", "dense", filters=classes)
    chain.add("probabilities", "softmax")
    return Network(f"C3D, {_times(sides)}", (1, *sides, 3), tuple(chain.steps))


def whole() -> Iterator[Network]:
    """The networks that are measured."""
    yield from (unet(side) for side in (64, 96))
    yield from (unet(side, levels=5, norm=INSTANCE) for side in (64, 96))
    yield unet(levels=5, norm=GROUPS)
    yield from (resnet18(), c3d())


def _times(sides: Triple) -> str:
    return "x".join(map(str, sides))
