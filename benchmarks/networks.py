"""Networks as plain data, so that every framework builds the same one from the same numbers.

Shapes and weights are written as Keras writes them: volumes are channels-last, kernels ``(kd, kh, kw, in, out)``, those
of transposed convolutions ``(kd, kh, kw, out, in)``. `architectures.py` has whole networks, `workloads.py` says which
are measured.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]
Triple = tuple[int, int, int]
INPUT = "volume"
# Of every framework, where they have defaults of their own.
EPSILON, NEGATIVE_SLOPE = 1e-3, 0.01
_WINDOWS = frozenset({"conv", "max_pool", "average_pool"})


@dataclass(frozen=True)
class Step:
    """One layer of a network.

    Attributes:
        name: Its name, by which later steps refer to its result.
        op: ``conv``; ``up``, a transposed convolution with kernel and stride 2; ``dense``, which flattens volumes;
            ``batch_norm``; ``group_norm``; ``relu``, ``leaky_relu``, ``sigmoid``, ``softmax`` (over channels);
            ``max_pool``, ``average_pool``; ``global_average``, which leaves channels alone; ``nearest``, ``linear``,
            which double every side; ``concat`` (of channels), ``add``.
        inputs: Names of the steps, or of the network's input, that it takes.
        filters: Output channels of ``conv``, ``up`` and ``dense``.
        kernel: Window of ``conv`` and of pooling.
        strides: Strides of the same.
        dilation: Dilation of ``conv``.
        padding: ``same``, ``valid``, or for ``conv`` the zeros on both sides of every axis.
        groups: Groups of channels of ``conv`` and ``group_norm``; -1 is one for each channel: instance normalization.
        bias: Whether ``conv`` has one; ``up`` and ``dense`` always do.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    filters: int = 0
    kernel: Triple = (3, 3, 3)
    strides: Triple = (1, 1, 1)
    dilation: Triple = (1, 1, 1)
    padding: str | Triple = "same"
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

    @property
    def output(self) -> str:
        """Name of the step whose result is the network's."""
        return self.steps[-1].name

    def shapes(self) -> dict[str, Shape]:
        """Shape of every result, by name."""
        shapes: dict[str, Shape] = {INPUT: self.shape}
        for step in self.steps:
            shapes[step.name] = _output_shape(step, [shapes[name] for name in step.inputs])
        return shapes

    def flops(self) -> int:
        """Multiplications and additions of the products, as the definition counts them; the rest is small."""
        shapes, total = self.shapes(), 0
        for step in self.steps:
            source = shapes[step.inputs[0]]
            if step.op == "conv":
                total += 2 * math.prod(shapes[step.name]) * math.prod(step.kernel) * source[-1] // step.groups
            elif step.op == "up":
                total += 2 * math.prod(source) * 8 * step.filters
            elif step.op == "dense":
                total += 2 * math.prod(source) * step.filters
        return total

    def traffic(self) -> int:
        """Bytes that its steps read and write, weights left out: what counts where there are no products."""
        shapes = self.shapes()
        return 4 * sum(math.prod(shapes[name]) for step in self.steps for name in (*step.inputs, step.name))

    def weights(self) -> dict[str, list[Array]]:
        """The weights of every step that has some, in Keras' order, drawn so that signals keep their size."""
        rng, shapes = np.random.default_rng(self.seed), self.shapes()

        def normal(scale: float, *shape: int) -> Array:
            return rng.standard_normal(shape, np.float32) * np.float32(scale)

        def uniform(size: int) -> Array:
            return rng.uniform(0.5, 1.5, size).astype(np.float32)

        weights = {}
        for step in self.steps:
            source = shapes[step.inputs[0]]
            channels = source[-1]
            if step.op == "conv":
                fan_in = math.prod(step.kernel) * channels // step.groups
                kernel = normal(math.sqrt(2.0 / fan_in), *step.kernel, channels // step.groups, step.filters)
                weights[step.name] = [kernel, normal(0.1, step.filters)] if step.bias else [kernel]
            elif step.op == "up":
                scale = math.sqrt(2.0 / channels)
                weights[step.name] = [normal(scale, 2, 2, 2, step.filters, channels), normal(0.1, step.filters)]
            elif step.op == "dense":
                size = math.prod(source[1:])
                weights[step.name] = [normal(math.sqrt(1.0 / size), size, step.filters), normal(0.1, step.filters)]
            elif step.op == "batch_norm":
                gamma, variance = uniform(channels), uniform(channels)
                weights[step.name] = [gamma, normal(0.1, channels), normal(0.1, channels), variance]
            elif step.op == "group_norm":
                weights[step.name] = [uniform(channels), normal(0.1, channels)]
        return weights

    def volume(self) -> Array:
        """The input."""
        return np.random.default_rng(self.seed + 1).standard_normal(self.shape, dtype=np.float32)


def _frozen(value: Any) -> Any:
    """JSON knows no tuples."""
    return tuple(value) if isinstance(value, list) else value


def paddings(step: Step, shape: Shape) -> list[tuple[int, int]]:
    """Voxels that a window adds before and behind each axis; of ``same`` the odd one lies behind, as in TensorFlow."""
    if step.padding == "valid":
        return [(0, 0)] * 3
    if not isinstance(step.padding, str):
        return [(each, each) for each in step.padding]
    pairs = []
    for side, kernel, stride, dilation in zip(shape[1:4], step.kernel, step.strides, step.dilation, strict=True):
        total = max((-(-side // stride) - 1) * stride + (kernel - 1) * dilation + 1 - side, 0)
        pairs.append((total // 2, total - total // 2))
    return pairs


def _output_shape(step: Step, inputs: list[Shape]) -> Shape:
    batch, *sides, channels = inputs[0]
    if step.op in _WINDOWS:
        before_behind = paddings(step, inputs[0])
        numbers = zip(sides, before_behind, step.kernel, step.strides, step.dilation, strict=True)
        sides = [(n + sum(pad) - (k - 1) * d - 1) // s + 1 for n, pad, k, s, d in numbers]
        channels = step.filters or channels
    elif step.op == "up":
        sides, channels = [2 * n for n in sides], step.filters
    elif step.op in {"nearest", "linear"}:
        sides = [2 * n for n in sides]
    elif step.op == "concat":
        channels = sum(shape[-1] for shape in inputs)
    elif step.op in {"dense", "global_average"}:
        sides, channels = [], step.filters or channels
    return (batch, *sides, channels)
