"""PyTorch: eager, channels-last memory, batch normalization folded into the convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

from benchmarks.frameworks import Prepared
from benchmarks.networks import INPUT, Array, Network, Step, paddings

LAYOUT = torch.channels_last_3d


def prepare(network: Network, threads: int) -> Prepared:
    """A chain of modules, in inference mode."""
    torch.set_num_threads(threads)
    modules = _folded(network, _modules(network))
    x = torch.from_numpy(network.volume()).permute(0, 4, 1, 2, 3).contiguous(memory_format=LAYOUT)

    def run() -> torch.Tensor:
        with torch.inference_mode():
            tensors = {INPUT: x}
            for step in network.steps:
                inputs = [tensors[name] for name in step.inputs]
                tensors[step.name] = torch.cat(inputs, 1) if step.op == "concat" else modules[step.name](inputs[0])
            return tensors[network.steps[-1].name]

    return Prepared(run, lambda y: np.ascontiguousarray(y.permute(0, 2, 3, 4, 1).numpy()))


def version() -> str:
    """PyTorch's version."""
    return str(torch.__version__)


def _modules(network: Network) -> dict[str, torch.nn.Module]:
    weights, shapes = network.weights(), network.shapes()
    return {
        step.name: _module(step, shapes[step.inputs[0]], weights.get(step.name, [])).eval().to(memory_format=LAYOUT)
        for step in network.steps
        if step.op != "concat"
    }


def _folded(network: Network, modules: dict[str, torch.nn.Module]) -> dict[str, torch.nn.Module]:
    """Joins each batch normalization with the convolution before it."""
    for step in network.steps:
        source = modules.get(step.inputs[0])
        if step.op == "norm" and isinstance(source, torch.nn.Conv3d):
            modules[step.inputs[0]] = fuse_conv_bn_eval(source, modules[step.name]).to(memory_format=LAYOUT)
            modules[step.name] = torch.nn.Identity()
    return modules


def _module(step: Step, shape: tuple[int, ...], weights: list[Array]) -> Any:
    channels = shape[-1]
    match step.op:
        case "conv":
            return _convolution(step, shape, weights)
        case "up":
            module = torch.nn.ConvTranspose3d(channels, step.filters, 2, 2)
            _set(module.weight, weights[0].transpose(4, 3, 0, 1, 2))
            _set(module.bias, weights[1])
            return module
        case "norm":
            norm = torch.nn.BatchNorm3d(channels, eps=1e-3)
            parameters = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
            for parameter, value in zip(parameters, weights, strict=True):
                _set(parameter, value)
            return norm
        case "relu":
            return torch.nn.ReLU(inplace=True)
        case "sigmoid":
            return torch.nn.Sigmoid()
        case "pool":
            return torch.nn.MaxPool3d(2)
    raise ValueError(f"Unknown step {step.op!r}.")


def _convolution(step: Step, shape: tuple[int, ...], weights: list[Array]) -> Any:
    pairs = paddings(step, shape)
    symmetric = all(before == behind for before, behind in pairs)
    module = torch.nn.Conv3d(
        shape[-1], step.filters, step.kernel, step.strides,
        tuple(before for before, _ in pairs) if symmetric else 0,
        step.dilation, step.groups, bias=step.bias,
    )  # fmt: skip
    _set(module.weight, weights[0].transpose(4, 3, 0, 1, 2))
    if step.bias:
        _set(module.bias, weights[1])
    if symmetric:
        return module
    around = tuple(voxels for pair in reversed(pairs) for voxels in pair)
    return torch.nn.Sequential(torch.nn.ConstantPad3d(around, 0.0), module)


def _set(parameter: Any, value: Any) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
