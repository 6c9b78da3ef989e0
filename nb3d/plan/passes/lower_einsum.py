"""An einsum of two operands becomes a product of matrices: with all sizes known its axes can be merged.

Letters in both operands and the result are batches, those in both only are summed over, and the others are rows of one
factor or columns of the other. The factor whose own letters come first in the result is the left one, so that the
result often needs no transpose.
"""

from __future__ import annotations

from math import prod
from typing import Any

from nb3d.engine.opgraph import Op
from nb3d.ops.einsum import parse
from nb3d.ops.linear import MATMUL
from nb3d.ops.shaping import RESHAPE, TRANSPOSE
from nb3d.plan.graph import Graph, Step, ValueId
from nb3d.plan.passes.pattern import Rewriting


class _Lowering:
    """The graph under work."""

    def __init__(self, graph: Graph) -> None:
        self.bench = Rewriting(graph)
        self.steps: list[Step] = []
        self.names: dict[ValueId, ValueId] = {}

    def handle(self, step: Step) -> None:
        factors = _factors(step, self.bench)
        if factors is None:
            self.steps.append(step)
        else:
            self.names[step.output] = self.product(step, *factors)

    def emit(self, step: Step, op: Op, *inputs: ValueId, **attrs: Any) -> ValueId:
        """Adds a step in place of another; returns its result."""
        output = self.bench.new_value(op.infer(*(self.bench.specs[value] for value in inputs), **attrs))
        self.steps.append(Step(op, inputs, output, attrs, step.label))
        return output

    def transposed(self, step: Step, value: ValueId, letters: str, order: str) -> ValueId:
        axes = tuple(map(letters.index, order))
        return value if letters == order else self.emit(step, TRANSPOSE, value, axes=axes)

    def product(self, step: Step, a: str, b: str, result: str) -> ValueId:
        """The product of two factors, each named by its letters."""
        left, right = step.operands()
        sizes = dict(zip(a + b, self.bench.shape(left) + self.bench.shape(right), strict=True))
        if _first(b, a, result) < _first(a, b, result):
            (a, left), (b, right) = (b, right), (a, left)
        batch = "".join(letter for letter in result if letter in a and letter in b)
        rows = "".join(letter for letter in result if letter in a and letter not in b)
        columns = "".join(letter for letter in result if letter in b and letter not in a)
        summed = "".join(letter for letter in a if letter not in result)

        def matrix(value: ValueId, letters: str, *groups: str) -> ValueId:
            value = self.transposed(step, value, letters, "".join(groups))
            return self.emit(step, RESHAPE, value, shape=tuple(prod(sizes[x] for x in group) for group in groups))

        left, right = matrix(left, a, batch, rows, summed), matrix(right, b, batch, summed, columns)
        product = self.emit(step, MATMUL, left, right)
        made = batch + rows + columns
        product = self.emit(step, RESHAPE, product, shape=tuple(sizes[letter] for letter in made))
        return self.transposed(step, product, made, result)


def _first(letters: str, others: str, result: str) -> int:
    """Where in the result the first letter stands that one factor has alone."""
    return min((result.index(x) for x in letters if x in result and x not in others), default=len(result))


def _factors(step: Step, bench: Rewriting) -> tuple[str, str, str] | None:
    """The letters of two factors and of their product, where a step is such a product."""
    if step.op.name != "einsum" or len(step.inputs) != 2:
        return None
    (a, b), result = parse(step.attrs["equation"], [len(bench.shape(value)) for value in step.operands()])
    repeated = len(set(a)) < len(a) or len(set(b)) < len(b)
    return None if repeated or not set(a) ^ set(b) <= set(result) else (a, b, result)


def lower_einsum(graph: Graph) -> Graph:
    """The graph with such sums as transposes, reshapes and products of matrices."""
    if not any(step.op.name == "einsum" for step in graph.steps):
        return graph
    work = _Lowering(graph)
    for step in graph.steps:
        work.handle(step)
    work.bench.steps = {step.output: step for step in work.steps}
    return work.bench.result().substituted(work.names)
