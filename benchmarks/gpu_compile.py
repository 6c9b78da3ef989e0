"""``python -m benchmarks.gpu_compile``: what the tests on a GPU launch, compiled before they run, on all cores."""

from __future__ import annotations

from nb3d.kernels.cuda.ahead import compile_all
from nb3d.kernels.devices import gpu, resolve


def main() -> None:
    """Compiles them for the GPU of this machine."""
    from tests.cuda.programs import launches_of, pairs

    resolve("cuda")
    programs = {launch.program for pair in pairs(most=1e12) for launch in launches_of(*pair)}
    print(f"{compile_all(programs, [gpu().driver.architecture])} of {len(programs)} kernels compiled")


if __name__ == "__main__":
    main()
