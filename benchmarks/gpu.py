"""`make bench-gpu`: nb3d on a GPU, beside PyTorch with cuDNN where that is installed; prints a table.

Times are medians of events on the GPU, inputs and results lying there. What cannot be measured says so in its place. A
whole run takes less than eight minutes: work stops after `--seconds`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

import nb3d
from benchmarks.architectures import c3d, resnet18, unet
from benchmarks.frameworks import keras_like
from benchmarks.networks import INPUT, Network, Step
from nb3d.kernels.devices import gpu, resolve
from nb3d.plan.on_gpu import GpuExecutor

PRECISIONS = ("float32", "fast_float32", "tf32", "bfloat16")
REPEATS, WARM_UP = 30, 5

# Volumes of five axes, filters of a 3x3x3 convolution.
SHAPES = (
    ((1, 64, 64, 64, 32), 32), ((1, 32, 32, 32, 64), 64), ((1, 16, 16, 16, 128), 128), ((8, 64, 64, 64, 32), 32),
    ((1, 128, 128, 128, 32), 32), ((1, 16, 112, 112, 3), 64), ((1, 16, 56, 56, 64), 128),
)  # fmt: skip


def workloads() -> Iterator[Network]:
    """The convolutions, then the networks."""
    for shape, filters in SHAPES:
        step = Step("convolution", "conv", (INPUT,), filters=filters)
        yield Network(f"{'x'.join(map(str, shape))} > {filters}", shape, (step,))
    yield unet(side=64)
    yield unet(side=128)
    yield c3d()
    yield resnet18()


def ours(network: Network, precision: str) -> tuple[float, np.ndarray]:
    """Seconds of a run of nb3d on the GPU, and its result."""
    nb3d.config.set_precision(precision)
    model, x = keras_like.build(nb3d, network), network.volume()
    function = model.function("cuda")
    result = function([x])[0]
    executor = function.executor([x.shape])
    assert isinstance(executor, GpuExecutor)
    driver: Any = gpu().driver
    with executor.bound() as bound:
        driver.elapsed(bound.run, WARM_UP)
        return statistics.median(driver.elapsed(bound.run, REPEATS)), result


def theirs(network: Network, precision: str, compiled: bool) -> float:
    """Seconds of a run of PyTorch in the precision that is nearest."""
    import torch

    from benchmarks.frameworks import pytorch

    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    run = pytorch.runner(network, torch.channels_last_3d, device="cuda")
    run = torch.compile(run) if compiled else run
    with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bfloat16"):
        for _ in range(WARM_UP):
            run()
        events = [torch.cuda.Event(enable_timing=True) for _ in range(REPEATS + 1)]
        for number, event in enumerate(events):
            if number:
                run()
            event.record()
        torch.cuda.synchronize()
    return statistics.median(float(a.elapsed_time(b)) / 1e3 for a, b in pairwise(events))


def measured(function: Callable[[], float]) -> str:
    """Microseconds as text, or why there are none."""
    try:
        return f"{1e6 * function():.1f}"
    except Exception as error:  # a peer that fails is a fact about the peer
        return f"{type(error).__name__}: {str(error).splitlines()[0][:60]}" if str(error) else type(error).__name__


def versions() -> str:
    """What ran."""
    try:
        import torch

        peer = f"PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, {torch.cuda.get_device_name()}"
    except Exception as error:
        peer = f"PyTorch is not there ({type(error).__name__})"
    return f"nb3d {nb3d.__version__}, {gpu().driver.architecture}, {resolve('cuda').available()[1]}; {peer}"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=420, help="begin nothing new after so long")
    parser.add_argument("--without-peer", action="store_true", help="do not run PyTorch")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    resolve("cuda")  # says why there is none
    print(versions(), flush=True)
    print("| work | precision | nb3d us | TFLOP/s | error | PyTorch us | torch.compile us |")
    print("|---|---|---|---|---|---|---|")
    for network in workloads():
        exact: np.ndarray | None = None
        for precision in PRECISIONS:
            if time.monotonic() > end:
                print(f"stopped after {options.seconds:.0f} s")
                return
            seconds, result = ours(network, precision)
            exact = result if exact is None else exact
            error = float(np.abs(result - exact).max() / np.abs(exact).max())
            peers = ["-", "-"]
            if not options.without_peer:
                whole = len(network.steps) > 1
                peers[0] = measured(lambda n=network, p=precision: theirs(n, p, False))  # type: ignore[misc]
                if whole:
                    peers[1] = measured(lambda n=network, p=precision: theirs(n, p, True))  # type: ignore[misc]
            speed = network.flops() / seconds / 1e12
            cells = (network.name, precision, f"{1e6 * seconds:.1f}", f"{speed:.1f}", f"{error:.1e}", *peers)
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
