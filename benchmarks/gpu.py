"""`make bench-gpu`: nb3d on a GPU, beside PyTorch with cuDNN where that is installed; prints tables.

Times are medians of events on the GPU, inputs and results lying there. What cannot be measured says so in its place. A
whole run takes less than eight minutes: nothing new begins after `--seconds`, and what comes first matters most.
Kernels are compiled on all cores before anything is measured.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise, product
from typing import Any

import numpy as np

import nb3d
from benchmarks.architectures import c3d, resnet18, unet
from benchmarks.frameworks import keras_like
from benchmarks.gpu_targets import COMPILED, EAGER, HEAD, PEER_PRECISION, Measured, targets
from benchmarks.networks import INPUT, Network, Step
from nb3d.kernels import devices
from nb3d.kernels.cuda.ahead import compile_all
from nb3d.plan.gpu_binding import programs
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
    driver: Any = devices.gpu().driver
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
        return _torch_seconds(run)


def measured(function: Callable[[], float]) -> float | str:
    """Seconds, or why there are none."""
    try:
        return function()
    except Exception as error:  # a peer that fails is a fact about the peer
        words = str(error).splitlines()
        return f"{type(error).__name__}: {words[0][:60]}" if words else type(error).__name__


def ceiling(precision: str) -> float:
    """TFLOP/s of a large matrix product of PyTorch's."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=getattr(torch, precision, torch.float32)) for _ in range(2))
    return 2 * 8192**3 / _torch_seconds(lambda: a @ b) / 1e12


def _torch_seconds(run: Callable[[], Any]) -> float:
    """The median of some runs after others that do not count."""
    import torch

    for _ in range(WARM_UP):
        run()
    events = [torch.cuda.Event(enable_timing=True) for _ in range(REPEATS + 1)]
    for number, event in enumerate(events):
        if number:
            run()
        event.record()
    torch.cuda.synchronize()
    return statistics.median(float(a.elapsed_time(b)) / 1e3 for a, b in pairwise(events))


def versions() -> str:
    """What ran."""
    try:
        import torch

        peer = f"PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, {torch.cuda.get_device_name()}"
    except Exception as error:
        peer = f"PyTorch is not there ({type(error).__name__})"
    card = f"{devices.gpu().driver.architecture}, {devices.resolve('cuda').available()[1]}"
    return f"nb3d {nb3d.__version__}, {card}; {peer}"


def prepare() -> None:
    """Compiles what all workloads launch."""
    wanted = set()
    for network, precision in product(workloads(), PRECISIONS):
        nb3d.config.set_precision(precision)
        plan = keras_like.build(nb3d, network).plan(network.shape, device="cuda")
        wanted |= set(programs(plan.schedule))
    start = time.monotonic()
    compile_all(wanted, [devices.gpu().driver.architecture])
    print(f"{len(wanted)} kernels compiled or found in {time.monotonic() - start:.0f} s", flush=True)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=420, help="begin nothing new after so long")
    parser.add_argument("--without-peer", action="store_true", help="do not run PyTorch")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    devices.resolve("cuda")  # says why there is none
    print(versions(), flush=True)
    prepare()
    near = () if options.without_peer else sorted(set(PEER_PRECISION.values()))
    known = {precision: measured(partial(ceiling, precision)) for precision in near}
    for name, speed in known.items():
        print(f"matrix product of 8192 in {name}: {f'{speed:.1f} TFLOP/s' if isinstance(speed, float) else speed}")
    print(*HEAD, sep="\n", flush=True)
    results: list[Measured] = []
    for network in workloads():
        exact: np.ndarray | None = None
        peers: dict[str, dict[str, float | str]] = {}
        for precision in PRECISIONS:
            if time.monotonic() > end:
                print(f"stopped after {options.seconds:.0f} s")
                break
            seconds, result = ours(network, precision)
            exact = result if exact is None else exact
            error = float(np.abs(result - exact).max() / np.abs(exact).max())
            nearest, whole = PEER_PRECISION[precision], len(network.steps) > 1
            if not options.without_peer and nearest not in peers:
                peers[nearest] = {EAGER: measured(partial(theirs, network, nearest, False))}
                if whole and nearest == "float32":  # compiling takes half a minute
                    peers[nearest][COMPILED] = measured(partial(theirs, network, nearest, True))
            results.append(
                Measured(network.name, precision, whole, seconds, network.flops(), error, peers.get(nearest, {}))
            )
            print(results[-1].row(), flush=True)
    float32 = known.get("float32")
    print("", *targets(results, float32 if isinstance(float32, float) else None), sep="\n")


if __name__ == "__main__":
    main()
