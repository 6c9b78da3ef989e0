"""The lower level of the graph: operations, the nodes they leave, and what depends on what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nb3d.engine.tensor import KerasTensor, TensorSpec

Specs = tuple[Any, ...]  # a TensorSpec each, or None for an absent operand


def no_params(inputs: Specs, out: TensorSpec, attrs: Mapping[str, Any]) -> tuple[Any, ...]:
    """Kernel parameters of an operation that has none."""
    return ()


def same_spec(*inputs: TensorSpec, **attrs: Any) -> TensorSpec:
    """Shape rule of elementwise operations of one tensor."""
    return inputs[0]


@dataclass(frozen=True)
class Op:
    """An operation: its name in the table of kernels, its shape rule, and its kernel's parameters.

    Attributes:
        name: Key of the table of kernels.
        infer: ``(*input specs, **attrs) -> output spec``; also checks, raising `ValueError`. An absent operand is None.
        params: ``(input specs, output spec, attrs) -> kernel parameters``, once all sizes are known.
        promote: Whether inputs are first cast to their common dtype.
        elementwise: Whether every value of the result depends on one value of each (broadcast) operand only.
        stateful: Whether two runs may differ (random numbers) or change something: never folded.
    """

    name: str
    infer: Callable[..., TensorSpec]
    params: Callable[[Specs, TensorSpec, Mapping[str, Any]], tuple[Any, ...]] = no_params
    promote: bool = True
    elementwise: bool = False
    stateful: bool = False


def cast_spec(x: TensorSpec, dtype: str) -> TensorSpec:
    """Shape rule of a cast."""
    return TensorSpec(x.shape, dtype)


IDENTITY = Op("identity", same_spec)
CAST = Op("cast", cast_spec, promote=False, elementwise=True)


@dataclass(frozen=True, eq=False)
class OpNode:
    """One recorded application of an operation.

    Attributes:
        op: The operation.
        inputs: A `KerasTensor`, a `Variable`, a NumPy array (a constant) or ``None`` (absent) each.
        attrs: The operation's attributes.
    """

    op: Op
    inputs: tuple[Any, ...]
    attrs: Mapping[str, Any]


def record(op: Op, inputs: tuple[Any, ...], spec: TensorSpec, attrs: Mapping[str, Any], name: str = "") -> KerasTensor:
    """The symbolic result of `op` on `inputs`."""
    return KerasTensor(spec.shape, spec.dtype, name=name or op.name, producer=OpNode(op, inputs, attrs))


def alias(tensor: KerasTensor, name: str = "") -> KerasTensor:
    """A fresh tensor that stands for `tensor`: the same values, a history of its own."""
    return record(IDENTITY, (tensor,), tensor.spec, {}, name or tensor.name)


def dependents(tensors: Iterable[Any], wanted: set[int]) -> set[int]:
    """The ``id``s of those among `tensors`, and of what they are computed from, that need a tensor in `wanted`.

    One walk over the graph behind all of them, with a stack of its own: graphs may be thousands of operations deep.
    """
    found: set[int] = set()
    seen: set[int] = set()
    stack = [(tensor, False) for tensor in tensors]
    while stack:
        tensor, sources_done = stack.pop()
        producer = getattr(tensor, "producer", None)
        sources = producer.inputs if producer is not None else ()
        if sources_done:
            if id(tensor) in wanted or any(id(source) in found for source in sources):
                found.add(id(tensor))
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((source, False) for source in sources if source is not None)
    return found
