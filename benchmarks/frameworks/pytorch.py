"""PyTorch: eager, in inference mode, batch normalization folded into the convolutions, activations in place.

Networks run in channels-last memory. A single layer is tried in contiguous memory too, and runs where it is faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from benchmarks.frameworks import Prepared, channels_first
from benchmarks.networks import EPSILON, INPUT, NEGATIVE_SLOPE, Array, Network, Shape, Step, paddings

LAYOUTS = (torch.channels_last_3d, torch.contiguous_format)


def prepare(network: Network, threads: int) -> Prepared:
    """A list of calls on tensors that are dropped after their last use."""
    torch.set_num_threads(threads)
    alone = len(network.steps) == 1
    run = min((runner(network, layout) for layout in LAYOUTS), key=_seconds) if alone else runner(network, LAYOUTS[0])
    return Prepared(run, lambda y: channels_first.channels_last(y.numpy()))


def version() -> str:
    """PyTorch's version."""
    return str(torch.__version__)


def _seconds(run: Callable[[], Any]) -> float:
    """The best of three runs, after one that does not count."""
    marks = []
    for _ in range(4):
        start = time.perf_counter()
        run()
        marks.append(time.perf_counter() - start)
    return min(marks[1:])


def runner(network: Network, layout: Any, device: str = "cpu") -> Callable[[], Any]:
    """A call that runs a network, its input and output on the device."""
    weights, shapes = channels_first.weights(network), network.shapes()
    functions: dict[str, Any] = {}
    for step in network.steps:
        function = _function(step, shapes[step.inputs[0]], weights.pop(step.name, []), _is_free(network, step))
        functions[step.name] = function.eval().to(memory_format=layout) if _is_module(function) else function
    _fold(network, functions, layout)
    x = torch.from_numpy(channels_first.volume(network)).contiguous(memory_format=layout)
    x = _padded_beforehand(network, functions, x).contiguous(memory_format=layout).to(device)
    functions = {name: f.to(device) if _is_module(f) else f for name, f in functions.items()}
    last = {name: number for number, step in enumerate(network.steps) for name in step.inputs}
    calls = [
        (step.name, functions[step.name], step.inputs, [name for name in set(step.inputs) if last[name] == number])
        for number, step in enumerate(network.steps)
    ]

    def run() -> torch.Tensor:
        with torch.inference_mode():
            tensors = {INPUT: x}
            for name, function, inputs, dead in calls:
                tensors[name] = function(*[tensors[source] for source in inputs])
                for source in dead:
                    del tensors[source]
            return tensors[network.output]

    return run


def _is_module(function: Any) -> bool:
    return isinstance(function, torch.nn.Module)


def _is_free(network: Network, step: Step) -> bool:
    """Whether a step may write over its first input: nobody else reads it, and it is not the network's."""
    source = step.inputs[0]
    return source != INPUT and sum(reader.inputs.count(source) for reader in network.steps) == 1


def _fold(network: Network, functions: dict[str, Any], layout: Any) -> None:
    """Joins each batch normalization with the convolution before it."""
    for step in network.steps:
        source = functions.get(step.inputs[0])
        if step.op == "batch_norm" and isinstance(source, torch.nn.Conv3d):
            functions[step.inputs[0]] = fuse_conv_bn_eval(source, functions[step.name]).to(memory_format=layout)
            functions[step.name] = torch.nn.Identity()


def _padded_beforehand(network: Network, functions: dict[str, Any], x: Any) -> Any:
    """A single convolution of uneven padding, which PyTorch does not have, gets its volume padded outside the time."""
    function = functions[network.output]
    if len(network.steps) == 1 and isinstance(function, torch.nn.Sequential):
        pad, functions[network.output] = function
        return pad(x)
    return x


def _function(step: Step, source: Shape, weights: list[Array], free: bool) -> Any:
    channels = source[-1]
    match step.op:
        case "conv":
            return _convolution(step, source, weights)
        case "up":
            return _with(torch.nn.ConvTranspose3d(channels, step.filters, 2, 2), weights)
        case "dense":
            linear = _with(torch.nn.Linear(weights[0].shape[1], step.filters), weights)
            return torch.nn.Sequential(torch.nn.Flatten(), linear)
        case "batch_norm":
            return _with(torch.nn.BatchNorm3d(channels, eps=EPSILON), weights)
        case "group_norm":  # InstanceNorm3d takes three times as long in channels-last memory
            groups = channels if step.groups == -1 else step.groups
            return _with(torch.nn.GroupNorm(groups, channels, eps=EPSILON), weights)
        case "relu":
            return torch.nn.ReLU(inplace=free)
        case "leaky_relu":
            return torch.nn.LeakyReLU(NEGATIVE_SLOPE, inplace=free)
        case "sigmoid":
            return torch.nn.Sigmoid()
        case "softmax":
            return torch.nn.Softmax(1)
        case "max_pool" | "average_pool":
            return _pooling(step, source)
        case "global_average":
            return lambda x: x.mean((2, 3, 4))
        case "nearest" | "linear":
            mode = {"nearest": "nearest", "linear": "trilinear"}[step.op]
            return lambda x: functional.interpolate(x, scale_factor=2, mode=mode)
        case "concat":
            return lambda *x: torch.cat(x, 1)
        case "add":
            return torch.Tensor.add_ if free else torch.add
    raise ValueError(f"Unknown step {step.op!r}.")


def _convolution(step: Step, source: Shape, weights: list[Array]) -> Any:
    pairs = paddings(step, source)
    symmetric = all(before == behind for before, behind in pairs)
    module = _with(
        torch.nn.Conv3d(
            source[-1], step.filters, step.kernel, step.strides,
            tuple(before for before, _ in pairs) if symmetric else 0,
            step.dilation, step.groups, bias=step.bias,
        ), weights,
    )  # fmt: skip
    if symmetric:
        return module
    around = tuple(voxels for pair in reversed(pairs) for voxels in pair)
    return torch.nn.Sequential(torch.nn.ConstantPad3d(around, 0.0), module)


def _pooling(step: Step, source: Shape) -> Any:
    """A padding behind the volume is PyTorch's ``ceil_mode``; no other one is used."""
    if any(before for before, _ in paddings(step, source)):
        raise NotImplementedError(f"Padding in front of a pooling: {step}.")
    kind = torch.nn.MaxPool3d if step.op == "max_pool" else torch.nn.AvgPool3d
    return kind(step.kernel, step.strides, ceil_mode=step.padding == "same")


def _with(module: Any, weights: list[Array]) -> Any:
    """A module with its weights, in the order in which both Keras and PyTorch list them."""
    slots = [*module.parameters(), *(buffer for buffer in module.buffers() if buffer.ndim)]
    with torch.no_grad():
        for slot, values in zip(slots, weights, strict=True):
            slot.copy_(torch.from_numpy(np.ascontiguousarray(values)))
    return module
