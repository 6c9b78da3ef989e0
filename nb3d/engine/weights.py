"""The weights of a layer: created, listed, read and written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nb3d.engine.variable import Variable


class WeightStore:
    """Variables of a layer, trainable ones and others, and those of the layers inside it."""

    name: str
    trainable: bool
    built: bool

    def __init__(self) -> None:
        self._trainable_weights: list[Variable] = []
        self._non_trainable_weights: list[Variable] = []

    def _inner_layers(self) -> list[Any]:
        """The layers held as attributes, in the order in which they were set; a Model answers with its layers."""
        return []

    @property
    def trainable_weights(self) -> list[Variable]:
        """Variables that training would change; none when the layer is frozen."""
        if not self.trainable:
            return []
        return _unique([*self._trainable_weights, *_gather(self._inner_layers(), "trainable_weights")])

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """Variables that training would leave alone."""
        frozen = [] if self.trainable else [*self._trainable_weights]
        inner = self._inner_layers()
        if not self.trainable:
            frozen += _gather(inner, "trainable_weights")
        return _unique([*frozen, *self._non_trainable_weights, *_gather(inner, "non_trainable_weights")])

    @property
    def weights(self) -> list[Variable]:
        """All Variables: trainable ones first."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The same as `non_trainable_weights`."""
        return self.non_trainable_weights

    @property
    def variables(self) -> list[Variable]:
        """The same as `weights`."""
        return self.weights

    def count_params(self) -> int:
        """The number of values in all weights.

        Raises:
            ValueError: If the layer is not built yet.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call count_params on layer {self.name!r}, but it isn't built. Call it on an input, "
                "or call build(input_shape) first."
            )
        return sum(variable.size for variable in self.weights)

    def _weights_in_file_order(self) -> list[Variable]:
        """The order of `get_weights` and `set_weights`."""
        return self.weights

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, as NumPy arrays."""
        return [variable.numpy() for variable in self._weights_in_file_order()]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replaces all weights; nothing is changed unless all fit.

        Args:
            weights: Arrays of exactly the shapes that `get_weights` returns, in its order.

        Raises:
            ValueError: If their number or a shape differs.
        """
        variables = self._weights_in_file_order()
        if not isinstance(weights, Sequence | np.ndarray):
            raise ValueError(f"Layer {self.name!r}: set_weights expected a list of arrays, got {weights!r}.")
        if len(weights) != len(variables):
            raise ValueError(
                f"Layer {self.name!r}: set_weights expected {len(variables)} weights, got {len(weights)}."
            )
        arrays = [np.asarray(weight) for weight in weights]
        for variable, array in zip(variables, arrays, strict=True):
            if array.shape != variable.shape:
                raise ValueError(
                    f"Layer {self.name!r}: weight {variable.name!r} has shape {variable.shape}, "
                    f"got an array of shape {array.shape}."
                )
            if array.dtype.kind not in "fiub":
                raise ValueError(
                    f"Layer {self.name!r}: weight {variable.name!r} needs real numbers, "
                    f"got an array of dtype {array.dtype}."
                )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)

    def _file_weight(self, variable: Variable, trainable: bool) -> None:
        (self._trainable_weights if trainable else self._non_trainable_weights).append(variable)


def _gather(layers: list[Any], attribute: str) -> list[Variable]:
    return [variable for layer in layers for variable in getattr(layer, attribute)]


def _unique(variables: list[Variable]) -> list[Variable]:
    return list({id(variable): variable for variable in variables}.values())
