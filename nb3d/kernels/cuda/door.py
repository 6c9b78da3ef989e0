"""The only module that imports Numba's CUDA, and the only one that says how kernels are compiled.

Kernels are compiled to PTX for compute capability 8.0 whatever the device is: the assembler of the device takes it from
there. That needs no GPU and no driver, and newer compilers for newer devices keep accumulators in memory, not in
registers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import cuda as cuda

ARCHITECTURE = (8, 0)


def device(function: Callable[..., Any]) -> Any:
    """Marks a function to be compiled into the kernels that call it.

    It is inlined before it is typed: a function of its own would ask for a device.
    """
    return cuda.jit(function, device=True, inline="always")


def dispatcher(function: Callable[..., Any]) -> Any:
    """Returns Numba's own way to launch a kernel: the simulator's."""
    return cuda.jit(function)


def compile_ptx(function: Callable[..., Any], arguments: tuple[Any, ...], threads: int, resident: int) -> str:
    """Returns the PTX of a kernel.

    Args:
        function: The kernel; contracting to fused multiply-adds is the only freedom its arithmetic gets.
        arguments: Types of its arguments: see ``program.Kind``.
        threads: Of a block.
        resident: Blocks that must fit a multiprocessor at once, which bounds the registers.
    """
    from numba.cuda import types

    def type_of(kind: Any) -> Any:
        if isinstance(kind, tuple):
            return types.Tuple([type_of(part) for part in kind])
        return getattr(types, kind.removesuffix("[]"))[::1] if kind.endswith("[]") else getattr(types, kind)

    kinds = [type_of(kind) for kind in arguments]
    bounds = threads if resident == 1 else (threads, resident)
    ptx, _ = cuda.compile(
        function, types.void(*kinds), cc=ARCHITECTURE, device=False, abi="numba", fastmath=False, launch_bounds=bounds
    )
    return str(ptx)
