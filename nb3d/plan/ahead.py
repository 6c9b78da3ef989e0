"""What plans call, compiled before the first run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nb3d.kernels import devices
from nb3d.kernels.cuda import ahead, assembler, diagnosis
from nb3d.kernels.cuda.program import Program
from nb3d.plan.gpu_binding import programs
from nb3d.plan.schedule import Schedule


def compile_plans(plans: Iterable[Schedule], architectures: Sequence[str] = ()) -> None:
    """Compiles what runs call, or finds it on disk; runs nothing and allocates nothing.

    Args:
        plans: The plans, of any device.
        architectures: Those of the GPUs that plans for ``'cuda'`` will run on; that of this machine's where absent.

    Raises:
        ValueError: If there is no such architecture.
        RuntimeError: If none is named and there is no GPU, or if the compilers are missing.
    """
    names = _named(architectures) if architectures else None
    kernels: dict[Program, None] = {}
    for plan in plans:
        if plan.device == "cuda":
            names = names or _here()
            kernels |= dict.fromkeys(programs(plan))
        for item in plan.steps:
            if item.step.output not in plan.views:
                item.choice.implementation.load(item.case)
        if any(item.choice.implementation.device == "cpu" for item in plan.steps):
            from nb3d.kernels.cpu.launch import compile_loops

            compile_loops()
    if names:
        ahead.compile_all(kernels, names)


def _named(architectures: Sequence[str]) -> tuple[str, ...]:
    found = diagnosis.compilers()
    if not found.good:
        raise RuntimeError(f"Kernels for {', '.join(architectures)} cannot be compiled: {found}.")
    return assembler.architectures(architectures)


def _here() -> tuple[str, ...]:
    try:
        devices.resolve("cuda")
    except RuntimeError as error:
        raise RuntimeError(f"{error} For a GPU that is not here, name its architecture, such as sm_90a.") from None
    return (devices.gpu().driver.architecture,)
