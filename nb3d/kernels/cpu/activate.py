"""``apply(code, x, alpha, beta)`` inside kernels: one activation of one value, for write-outs and for kernels alone.

``code`` is a constant when a kernel is compiled, so a kernel holds the formula it needs and no other.
"""

from __future__ import annotations

from typing import Any

from numba.extending import overload

from nb3d.kernels.activations import Activation
from nb3d.kernels.cpu.approximations import erf, exp, expm1, log1p, tanh
from nb3d.kernels.cpu.compile import OVERLOADED, helper
from nb3d.kernels.formulas import formulas

FORMULAS = formulas(helper, exp, expm1, log1p, tanh, erf)


def apply(code: int, x: Any, alpha: Any, beta: Any) -> Any:
    """Inside kernels: the activation with number ``code`` (a constant) of ``x``."""


@overload(apply, prefer_literal=True, jit_options=OVERLOADED)
def _apply(code, x, alpha, beta):
    formula = helper(FORMULAS[Activation(code.literal_value)])

    def chosen(code, x, alpha, beta):
        return formula(x, alpha, beta)

    return chosen
