"""Compiling many kernels at once, before they are measured or tested: a process for every core.

    python -m benchmarks.gpu_compile    # those of the tests, for the GPU of this machine

Processes leave their work in the folder of compiled kernels. Where there is no such folder nothing is gained, and
nothing is done: whoever needs a kernel compiles it.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from nb3d.kernels import folders
from nb3d.kernels.cuda.program import Program, folder

FEW = 3  # a process has to import Numba first: for fewer kernels that is not worth its time


def compile_all(programs: Iterable[Program], architecture: str, processes: int | None = None) -> int:
    """Compiles and assembles what is not on disk yet; returns how many kernels that were.

    Args:
        programs: The kernels.
        architecture: Such as ``sm_90a``.
        processes: How many at a time; as many as there are cores where absent.

    Raises:
        RuntimeError: If the assembler refuses one.
    """
    place = folder()
    if place is None:
        return 0
    missing = [item for item in programs if folders.read(place / f"{item.name}.{architecture}") is None]
    count = min(processes or os.cpu_count() or 1, len(missing))
    work = partial(_compile, architecture=architecture)
    if count <= 1 or len(missing) < FEW:
        for item in missing:
            work(item)
        return len(missing)
    # Fresh processes: what has a GPU's context must not be forked.
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        for _ in pool.map(work, missing, chunksize=1):
            pass
    return len(missing)


def _compile(item: Program, architecture: str) -> None:
    from nb3d.kernels.cuda.driver import assemble

    item.machine_code(architecture, lambda ptx: assemble(ptx, architecture)[0])


def main() -> None:
    """Compiles what the tests on a GPU launch."""
    from nb3d.kernels.devices import gpu, resolve
    from tests.cuda.programs import launches_of, pairs

    resolve("cuda")
    programs = {launch.program for pair in pairs(most=1e12) for launch in launches_of(*pair)}
    print(f"{compile_all(programs, gpu().driver.architecture)} of {len(programs)} kernels compiled")


if __name__ == "__main__":
    main()
