"""`einsum`: sums of products, axes named by letters."""

from __future__ import annotations

from string import ascii_letters
from typing import Any

from nb3d.engine.opgraph import Op, Specs
from nb3d.engine.tensor import TensorSpec
from nb3d.ops.apply import apply
from nb3d.ops.elementwise import add
from nb3d.ops.linear import dense
from nb3d.ops.operation import operation
from nb3d.ops.shaping import divide_axis, merge_axes

Terms = tuple[tuple[str, ...], str]


def parse(equation: str, ranks: list[int]) -> Terms:
    """The letters of every operand, and those of the result; an ellipsis becomes letters of its own.

    Args:
        equation: As NumPy has it: ``"abc,cd->abd"``, ``"...c,cd->...d"``, or without the result.
        ranks: Ranks of the operands.

    Raises:
        ValueError: If the equation is none, or does not fit the ranks.
    """
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum: {equation!r} has {len(terms)} operands, got {len(ranks)}")
    spare = [letter for letter in ascii_letters if letter not in text]
    hidden = max((rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)), default=0)
    ellipsis = "".join(spare[: max(hidden, 0)])
    if not arrow:
        letters = left.replace(",", "").replace("...", "")
        right = "..." * ("..." in left) + "".join(sorted(letter for letter in letters if letters.count(letter) == 1))
    whole = []
    for term, rank in zip(terms, ranks, strict=True):
        missing = rank - len(term.replace("...", ""))
        if missing < 0 or (missing and "..." not in term):
            raise ValueError(f"einsum: the term {term!r} of {equation!r} does not fit a tensor of rank {rank}")
        whole.append(term.replace("...", ellipsis[len(ellipsis) - missing :]))
    result = right.replace("...", ellipsis)
    known = set("".join(whole))
    if not all(letter in ascii_letters for letter in known) or len(set(result)) < len(result) or set(result) - known:
        raise ValueError(f"einsum: {equation!r} for ranks {ranks} is no letters, commas, an arrow and ellipses")
    return tuple(whole), result


def _einsum_spec(*inputs: TensorSpec, equation: str) -> TensorSpec:
    terms, result = parse(equation, [len(spec.shape) for spec in inputs])
    sizes: dict[str, int | None] = {}
    for term, spec in zip(terms, inputs, strict=True):
        for letter, size in zip(term, spec.shape, strict=True):
            known = sizes.get(letter)
            if None not in (known, size) and known != size:
                shapes = [spec.shape for spec in inputs]
                raise ValueError(f"einsum: {letter!r} of {equation!r} is both {known} and {size} in shapes {shapes}")
            sizes[letter] = size if known is None else known
    return TensorSpec(tuple(sizes[letter] for letter in result), inputs[0].dtype)


def _equation(inputs: Specs, out: TensorSpec, attrs: Any) -> tuple[str]:
    return (attrs["equation"],)


EINSUM = Op("einsum", _einsum_spec, _equation)


@operation("Einsum")
def einsum(subscripts: str, *operands: Any) -> Any:
    """Sums of products, as `numpy.einsum` has them.

    Args:
        subscripts: The equation, such as ``"abc,cd->abd"``; an ellipsis stands for further axes.
        *operands: One tensor or array per term.

    Raises:
        ValueError: If the equation is none, or does not fit the operands.

    Example:
        >>> import nb3d, numpy as np
        >>> nb3d.ops.einsum("ab,b->a", np.ones((2, 3)), np.arange(3.0))
        array([3., 3.])

    Source: https://keras.io/api/ops/numpy/
    """
    terms, result = parse(subscripts, [len(x.shape) for x in operands])
    summed = _as_dense(terms, result)
    if summed is not None:
        return _dense(operands[0], operands[1], summed, None)
    return apply(EINSUM, *operands, equation=f"{','.join(terms)}->{result}")


def einsum_with_bias(equation: str, x: Any, kernel: Any, bias: Any) -> Any:
    """``einsum(equation, x, kernel) + bias``; a dense product takes the bias with it."""
    terms, result = parse(equation, [len(x.shape), len(kernel.shape)])
    summed = _as_dense(terms, result)
    if bias is None or summed is None or tuple(bias.shape) != tuple(kernel.shape[summed:]):
        product = einsum(equation, x, kernel)
        return product if bias is None else add(product, bias)
    return _dense(x, kernel, summed, bias)


def _as_dense(terms: tuple[str, ...], result: str) -> int | None:
    """How many axes are summed over, if those are the last of the first operand and the first of the second."""
    if len(terms) != 2:
        return None
    x, kernel = terms
    summed = sum(letter not in result for letter in x)
    kept, features = x[: len(x) - summed], kernel[summed:]
    fits = summed and kernel[:summed] == x[len(kept) :] and result == kept + features
    alike = len(set(x)) == len(x) and len(set(kernel)) == len(kernel) and not set(kept) & set(features)
    return summed if fits and alike and kept and features else None


def _dense(x: Any, kernel: Any, summed: int, bias: Any) -> Any:
    """The product as a dense one, whose kernel is fast and takes bias and activation with it."""
    features = tuple(kernel.shape[summed:])
    x = merge_axes(x, len(x.shape) - summed, summed) if summed > 1 else x
    kernel = merge_axes(kernel, 0, summed) if summed > 1 else kernel
    several = len(features) > 1
    product = dense(x, merge_axes(kernel, 1, len(features)) if several else kernel)
    if bias is not None:
        product = add(product, merge_axes(bias, 0, len(features)) if several else bias)
    return divide_axis(product, -1, features) if several else product
