"""`EinsumDense`: a dense layer whose product an einsum describes."""

from __future__ import annotations

import copy
import re
from typing import Any

from nb3d.engine.tensor import Dims
from nb3d.initializers import VarianceScaling
from nb3d.layers.arguments import check_shape
from nb3d.layers.kernel_layer import KernelLayer, kernel_fields
from nb3d.layers.registry import LAYERS
from nb3d.ops.einsum import einsum_with_bias

_FORMS = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


@LAYERS.register()
class EinsumDense(KernelLayer):
    """The sum of products of the input with a kernel along chosen axes, plus a bias, and an activation.

    Args:
        equation: Which axes, as `numpy.einsum` has it: ``"abc,cd->abd"``. An ellipsis may stand for leading axes of
            input and output, or for trailing ones.
        output_shape: Sizes of the output without the batch; one integer for one. ``None`` where it is that of the
            input.
        activation: Name, function or layer that is applied in the end; none where absent.
        bias_axes: Letters of the output along which there is a bias; no bias where absent.
        kernel_initializer: Initial values of the kernel, whose axes the equation names.
        bias_initializer: Initial values of the bias.
        kernel_regularizer: Loss on the kernel.
        bias_regularizer: Loss on the bias.
        kernel_constraint: Constraint kept on the kernel.
        bias_constraint: Constraint kept on the bias.
        activity_regularizer: Loss on the output.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If an argument is not as above; when called, if the input does not fit the equation.

    Example:
        >>> import nb3d
        >>> nb3d.layers.EinsumDense("abc,cde->abde", (None, 2, 8), bias_axes="de")(nb3d.Input((27, 16))).shape
        (None, 27, 2, 8)

    Source: https://keras.io/api/layers/core_layers/einsum_dense/
    """

    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any
    config_fields = (
        "equation",
        "bias_axes",
        *(field for field in kernel_fields("kernel") if field != "use_bias"),
    )

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation=activation,
            use_bias=bias_axes is not None,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        found = _FORMS.fullmatch(str(equation).replace(" ", ""))
        if found is None or (found[1], found[3]) != (found[5], found[7]) or (found[1] and found[3]):
            raise ValueError(
                "The `equation` argument must be of the form 'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...'. "
                f"Received: {equation!r}"
            )
        self.equation = equation
        self._ahead, self._terms = bool(found[1]), (found[2], found[4], found[6])
        sizes = [output_shape] if isinstance(output_shape, int) else output_shape
        self._output_shape = check_shape(sizes, "output_shape")
        if bias_axes is not None and (not bias_axes or set(bias_axes) - set(self._terms[2])):
            raise ValueError(f"The `bias_axes` argument must name axes of the output. Received: {bias_axes!r}")
        self.bias_axes = bias_axes

    def build(self, input_shape: Dims) -> None:
        x, kernel, result = self._terms
        hidden = len(input_shape) - len(x)
        given = (input_shape[0], *self._output_shape)  # what the ellipsis stands for is not among them
        ends = input_shape[hidden:] if self._ahead else input_shape[: len(x)]
        if hidden < 0 or len(given) - (0 if not self._ahead or not hidden else 1) != len(result):
            raise ValueError(
                f"Layer {self.name!r}: `equation` {self.equation!r} and `output_shape` {self._output_shape} do not fit "
                f"an input of shape {tuple(input_shape)}."
            )
        sizes: dict[str, int | None] = dict(zip(x, ends, strict=True))
        made = zip(result, given[len(given) - len(result) :], strict=True)
        sizes |= {letter: size if size is not None else sizes.get(letter) for letter, size in made}
        shape = tuple(sizes.get(letter) for letter in kernel)
        if None in shape:
            raise ValueError(
                f"Layer {self.name!r}: sizes of the kernel are unknown, {shape}, for an input of shape "
                f"{tuple(input_shape)}; `output_shape` must give those that are not the input's."
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=shape,
            initializer=_with_axes(self.kernel_initializer, kernel, result),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.bias_axes is not None:
            first = min(map(result.index, self.bias_axes))
            bias = [sizes[letter] if letter in self.bias_axes else 1 for letter in result[first:]]
            self.add_bias_weight((*bias, *[1] * (0 if self._ahead else hidden)))  # type: ignore[arg-type]

    def call(self, inputs: Any) -> Any:
        return self.activation(einsum_with_bias(self.equation, inputs, self.kernel, self.bias))

    def get_config(self) -> dict[str, Any]:
        """The arguments from which `from_config` makes the same layer."""
        return {**super().get_config(), "output_shape": self._output_shape}


def _with_axes(initializer: Any, kernel: str, result: str) -> Any:
    """An initializer that counts inputs and outputs knows which axes are which."""
    if not isinstance(initializer, VarianceScaling) or initializer.input_axes is not None:
        return initializer
    told = copy.copy(initializer)
    told.input_axes = [axis for axis, letter in enumerate(kernel) if letter not in result]
    told.output_axes = [axis for axis, letter in enumerate(kernel) if letter in result]
    return told
