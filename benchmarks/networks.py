"""Networks as plain data, so that every framework builds the same one from the same numbers.

Shapes and weights are written as Keras writes them: volumes are channels-last, kernels ``(kd, kh, kw, in, out)``, those
of transposed convolutions ``(kd, kh, kw, out, in)``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Triple = tuple[int, int, int]
INPUT = "volume"


@dataclass(frozen=True)
class Step:
    """One layer of a network.

    Attributes:
        name: Its name, by which later steps refer to its result.
        op: ``conv``, ``up`` (a transposed convolution, kernel and stride 2), ``norm``, ``relu``, ``sigmoid``, ``pool``
            (maximum, 2) or ``concat`` (of channels).
        inputs: Names of the steps, or of the network's input, that it takes.
        filters: Output channels of ``conv`` and ``up``.
        kernel: Kernel size of ``conv``.
        strides: Strides of ``conv``.
        dilation: Dilation of ``conv``.
        padding: ``same`` or ``valid``, of ``conv``.
        groups: Channel groups of ``conv``.
        bias: Whether ``conv`` has one; ``up`` always does.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    filters: int = 0
    kernel: Triple = (3, 3, 3)
    strides: Triple = (1, 1, 1)
    dilation: Triple = (1, 1, 1)
    padding: str = "same"
    groups: int = 1
    bias: bool = True


@dataclass(frozen=True)
class Network:
    """A network with one input and one output, the result of its last step.

    Attributes:
        name: What the table of results calls it.
        shape: Shape of the input, ``(batch, depth, height, width, channels)``.
        steps: Its layers, in an order in which they can run.
        seed: Seed of weights and input.
    """

    name: str
    shape: tuple[int, int, int, int, int]
    steps: tuple[Step, ...]
    seed: int = 0

    def to_json(self) -> str:
        """The network as a line of text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Network:
        """The network that `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        steps = [{key: _frozen(value) for key, value in step.items()} for step in data["steps"]]
        return cls(data["name"], _frozen(data["shape"]), tuple(Step(**step) for step in steps), data["seed"])

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every result, by name."""
        shapes: dict[str, tuple[int, ...]] = {INPUT: self.shape}
        for step in self.steps:
            shapes[step.name] = _output_shape(step, [shapes[name] for name in step.inputs])
        return shapes

    def flops(self) -> int:
        """Multiplications and additions of the convolutions, as the definition counts them; the rest is small."""
        shapes, total = self.shapes(), 0
        for step in self.steps:
            channels = shapes[step.inputs[0]][-1]
            if step.op == "conv":
                total += 2 * math.prod(shapes[step.name]) * math.prod(step.kernel) * channels // step.groups
            elif step.op == "up":
                total += 2 * math.prod(shapes[step.inputs[0]]) * 8 * step.filters
        return total

    def weights(self) -> dict[str, list[Array]]:
        """The weights of every step that has some, in Keras' order, drawn so that signals keep their size."""
        rng, shapes = np.random.default_rng(self.seed), self.shapes()

        def normal(scale: float, *shape: int) -> Array:
            return (rng.standard_normal(shape) * scale).astype(np.float32)

        weights = {}
        for step in self.steps:
            channels = shapes[step.inputs[0]][-1]
            if step.op == "conv":
                fan_in = math.prod(step.kernel) * channels // step.groups
                kernel = normal(math.sqrt(2.0 / fan_in), *step.kernel, channels // step.groups, step.filters)
                weights[step.name] = [kernel, normal(0.1, step.filters)] if step.bias else [kernel]
            elif step.op == "up":
                scale = math.sqrt(2.0 / channels)
                weights[step.name] = [normal(scale, 2, 2, 2, step.filters, channels), normal(0.1, step.filters)]
            elif step.op == "norm":
                gamma, variance = (rng.uniform(0.5, 1.5, channels).astype(np.float32) for _ in range(2))
                weights[step.name] = [gamma, normal(0.1, channels), normal(0.1, channels), variance]
        return weights

    def volume(self) -> Array:
        """The input."""
        return np.random.default_rng(self.seed + 1).standard_normal(self.shape, dtype=np.float32)


def _frozen(value: Any) -> Any:
    """JSON knows no tuples."""
    return tuple(value) if isinstance(value, list) else value


def paddings(step: Step, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Voxels that a convolution adds before and behind each axis; the odd one lies behind, as in TensorFlow."""
    if step.padding == "valid":
        return [(0, 0)] * 3
    pairs = []
    for side, kernel, stride, dilation in zip(shape[1:4], step.kernel, step.strides, step.dilation, strict=True):
        total = max((-(-side // stride) - 1) * stride + (kernel - 1) * dilation + 1 - side, 0)
        pairs.append((total // 2, total - total // 2))
    return pairs


def _output_shape(step: Step, inputs: list[tuple[int, ...]]) -> tuple[int, ...]:
    batch, *sides, channels = inputs[0]
    if step.op == "conv":
        before_behind = paddings(step, inputs[0])
        numbers = zip(sides, before_behind, step.kernel, step.strides, step.dilation, strict=True)
        sides = [(n + sum(pad) - (k - 1) * d - 1) // s + 1 for n, pad, k, s, d in numbers]
        channels = step.filters
    elif step.op == "up":
        sides, channels = [2 * n for n in sides], step.filters
    elif step.op == "pool":
        sides = [n // 2 for n in sides]
    elif step.op == "concat":
        channels = sum(shape[-1] for shape in inputs)
    return (batch, *sides, channels)


def single_convolution(name: str, shape: tuple[int, int, int, int, int], **options: Any) -> Network:
    """A network of one convolution."""
    return Network(name, shape, (Step("conv", "conv", (INPUT,), **options),))


def unet(side: int = 64, levels: int = 4, base: int = 32) -> Network:
    """The 3D U-Net of the papers: two convolutions with batch normalization per level, transposed convolutions up."""

    def block(source: str, filters: int, name: str) -> Iterator[Step]:
        for i in (1, 2):
            yield Step(f"{name}_conv{i}", "conv", (source,), filters=filters, bias=False)
            yield Step(f"{name}_norm{i}", "norm", (f"{name}_conv{i}",))
            source = f"{name}_relu{i}"
            yield Step(source, "relu", (f"{name}_norm{i}",))

    def steps() -> Iterator[Step]:
        last = INPUT
        for level in range(levels):
            yield from block(last, base << level, f"down{level}")
            last = f"down{level}_relu2"
            if level < levels - 1:
                yield Step(f"pool{level}", "pool", (last,))
                last = f"pool{level}"
        for level in reversed(range(levels - 1)):
            yield Step(f"up{level}", "up", (last,), filters=base << level)
            yield Step(f"skip{level}", "concat", (f"up{level}", f"down{level}_relu2"))
            yield from block(f"skip{level}", base << level, f"merge{level}")
            last = f"merge{level}_relu2"
        yield Step("classes", "conv", (last,), filters=2, kernel=(1, 1, 1))
        yield Step("probabilities", "sigmoid", ("classes",))

    return Network(f"3D U-Net, {levels} levels, base {base}, {side}^3", (1, side, side, side, 1), tuple(steps()))
