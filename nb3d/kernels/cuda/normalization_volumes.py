"""normalization of any groups of values, in several launches: their sums, their squares, the factors, the result.

Groups of several channels are summed channel by channel first, then over the channels. Means and factors are
``float64``, so a large mean costs no accuracy; the result is computed as ``(x - mean) * factor + offset``.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import OUT, Arrays, Case, Kernel
from nb3d.kernels.cuda.columns import Columns, launch_reduction, partial_bytes
from nb3d.kernels.cuda.normalization_runs import sizes, why_not
from nb3d.kernels.cuda.scratch import Cutter, aligned
from nb3d.kernels.cuda.strides import Walk, apply_map, contiguous
from nb3d.kernels.divisors import Divisor

TOTAL = "float64"


def accepts(case: Case) -> str | None:
    """Accepts floats."""
    return why_not(case)


def slices(case: Case) -> tuple[int, ...]:
    """The output."""
    return (OUT,)


def _columns(case: Case) -> tuple[Columns, Columns | None]:
    """The sums over voxels, and those over the channels of a group where they are not the same."""
    (outer, rows, channels), groups = sizes(case), case.params[1]
    if groups == 1:
        return Columns(outer, rows * channels, 1), None
    return Columns(outer, rows, channels), Columns(outer * groups, channels // groups, 1) if groups < channels else None


def scratch(case: Case, threads: int) -> int:
    """Means, squares, factors, and what lies between launches."""
    (outer, _, channels), (first, then) = sizes(case), _columns(case)
    statistics = 2 * aligned(outer * case.params[1] * 8) + aligned(outer * channels * 8)
    between = aligned(first.count * 8) if then is not None else 0
    return statistics + between + max(partial_bytes(item, TOTAL) for item in (first, then or first))


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """An absent offset becomes zeros, an absent scale ones."""
    x, offset, scale = inputs
    absent = np.zeros(case.out[-1], case.out_dtype)
    return x, offset if offset.size else absent, scale if scale.size else absent + 1


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    (outer, rows, channels), (first, then) = sizes(case), _columns(case)
    _, groups, epsilon, centered, divisor, code, alpha, beta = case.params
    each = channels // groups
    shape = (outer, rows, groups, each)
    whole, pitch = Walk(contiguous(shape)), case.pitch(OUT)
    into = Walk((rows * pitch, pitch, each, 1))
    of_groups, of_factors, of_channels = Walk((groups, 0, 1, 0)), Walk((channels, 0, each, 1)), Walk((0, 0, each, 1))
    op = "normalize" if centered else "rescale"
    op = op if code == Activation.LINEAR else f"{op}:{Activation(code).name.lower()}"

    def normalization(x, offset, scale, out, scratch, *params):
        cut = Cutter(scratch)
        mean, squares = (cut.array((outer * groups,), TOTAL) for _ in range(2))
        factors = cut.array((outer * channels,), TOTAL)
        between = cut.array((first.count,), TOTAL) if then is not None else None
        rest = cut.rest()

        def statistic(op, centre, into, factor):
            if then is None or between is None:
                launch_reduction(op, x, first, into, TOTAL, rest, factor, centre)
            else:
                launch_reduction(op, x, first, between, TOTAL, rest, 1.0, centre, each)
                launch_reduction("sum", between, then, into, TOTAL, rest, factor)

        share = 1.0 / (rows * each)
        if centered:
            statistic("sum", None, mean, share)
        else:
            apply_map("fill", (outer * groups,), [], mean, Walk((1,)))
        statistic("squares", mean, squares, 1.0 if divisor == Divisor.NORM else share)
        apply_map(
            Divisor(divisor).name.lower(), (outer, groups, each),
            [(squares, Walk((groups, 1, 0))), (scale, Walk((0, each, 1)))], factors, Walk((channels, each, 1)), epsilon,
        )  # fmt: skip
        means = [(mean, of_groups)] if centered else []
        operands = [(x, whole), *means, (factors, of_factors), (offset, of_channels)]
        apply_map(op, shape, operands, out, into, alpha, beta)

    return normalization
