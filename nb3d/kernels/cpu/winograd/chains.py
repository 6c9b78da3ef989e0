"""Addition chains: a transform of one axis as the fewest vector operations, emitted on values in registers.

The rows of ``B`` for a point and its negative are ``even + odd`` and ``even - odd``; the columns of ``A`` likewise
meet every row as ``x + x'`` (even rows) or ``x - x'`` (odd rows). Six values to six then cost 10 multiplications or
multiply-adds and 4 additions, six to four cost 6 and 6: the two kinds of units of a core share the work.

A chain is emitted in *groups* of results, so that a transform of two axes at once keeps only one group of its first
axis in registers: 3 of 6 frequencies, or the even or odd half of the outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nb3d.kernels.cpu.vector_code import Vectors
from nb3d.kernels.cpu.winograd.points import Axis

Group = tuple[int, ...]
Loads = Sequence[Callable[[], Any]]


def _sum(vec: Vectors, terms: list[tuple[float, Any]]) -> Any:
    """The sum of factors times values, beginning with one that needs no multiplication."""
    terms = sorted((term for term in terms if term[0] != 0.0), key=lambda term: term[0] != 1.0)
    (factor, total), *rest = terms
    if factor != 1.0:
        total = vec.builder.fmul(total, vec.constant(factor))
    for factor, value in rest:
        if factor == 1.0:
            total = vec.builder.fadd(total, value)
        elif factor == -1.0:
            total = vec.builder.fsub(total, value)
        else:
            total = vec.multiply_add(value, vec.constant(factor), total)
    return total


def input_groups(axis: Axis) -> tuple[Group, ...]:
    """Returns the frequencies in groups: a pair with one of the others each."""
    single = [i for i in range(axis.n) if not any(i in pair for pair in axis.pairs)]
    if axis.n <= 4:
        return (tuple(range(axis.n)),)
    groups = [[*pair] for pair in axis.pairs]
    for number, i in enumerate(single):
        groups[number % len(groups)].append(i)
    return tuple(map(tuple, groups))


def output_groups(axis: Axis) -> tuple[Group, ...]:
    """Returns the outputs in groups: even ones and odd ones."""
    return tuple(group for group in (tuple(range(0, axis.size, 2)), tuple(range(1, axis.size, 2))) if group)


def input_chain(vec: Vectors, axis: Axis, group: Group, loads: Loads) -> Mapping[int, Any]:
    """Emits some frequencies of the values that ``loads`` give; those that are needed are called, once."""
    return _frequencies(vec, axis.inputs, axis, group, loads)


def filter_chain(vec: Vectors, axis: Axis, group: Group, loads: Loads) -> Mapping[int, Any]:
    """Emits some frequencies of the taps that ``loads`` give; those that are needed are called, once."""
    return _frequencies(vec, axis.filters, axis, group, loads)


def _frequencies(vec: Vectors, matrix: np.ndarray, axis: Axis, group: Group, loads: Loads) -> Mapping[int, Any]:
    values = {k: load() for k, load in enumerate(loads) if np.any(matrix[list(group), k])}
    results: dict[int, Any] = {}
    for i in group:
        pair = next((pair for pair in axis.pairs if i in pair), None)
        if pair is None:
            results[i] = _sum(vec, [(matrix[i, k], values[k]) for k in values])
        elif pair[0] == i:
            half_sum = (matrix[pair[0]] + matrix[pair[1]]) / 2
            half_difference = (matrix[pair[0]] - matrix[pair[1]]) / 2
            even = _sum(vec, [(half_sum[k], values[k]) for k in values])
            odd = _sum(vec, [(half_difference[k], values[k]) for k in values])
            results[pair[0]] = vec.builder.fadd(even, odd)
            results[pair[1]] = vec.builder.fsub(even, odd)
    return results


def output_chain(vec: Vectors, axis: Axis, group: Group, loads: Loads) -> Mapping[int, Any]:
    """Emits some outputs, all even or all odd ones, of the frequencies that ``loads`` give."""
    matrix = axis.outputs
    parity = group[0] % 2
    paired = [i for pair in axis.pairs for i in pair]
    terms = {i: loads[i]() for i in range(axis.n) if i not in paired and np.any(matrix[list(group), i])}
    combine = vec.builder.fsub if parity else vec.builder.fadd
    for first, second in axis.pairs:
        terms[first] = combine(loads[first](), loads[second]())
    return {k: _sum(vec, [(matrix[k, i], value) for i, value in terms.items()]) for k in group}
