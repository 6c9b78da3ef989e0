"""`Lambda`: a function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from nb3d.engine.identifiers import serialize_value
from nb3d.engine.registry import custom_object
from nb3d.layers.layer import Layer
from nb3d.layers.registry import LAYERS

HOW_TO_REPLACE = (
    "A Lambda holds Python code, which nb3d never takes from a file. Write it as a subclass of nb3d.layers.Layer with "
    "its mathematics in call(), or use functions of nb3d.ops in the model; or name its function and pass it as "
    "custom_objects={name: function}."
)


@LAYERS.register()
class Lambda(Layer):
    """Applies a function, written with `nb3d.ops`.

    It is built in Python only: a `Lambda` in a file is refused, unless its function has a name and is passed as a
    custom object. Weights of layers that the function calls belong to nobody.

    Args:
        function: Function of the input; a parameter ``mask`` or ``training`` of it receives those.
        output_shape: Shape of the output without the batch, or a function of the input's shape. It is kept, not needed.
        mask: Mask of the output, or a function ``(inputs, mask)`` that gives it.
        arguments: Further keyword arguments of the function.
        **kwargs: Arguments of `Layer`.

    Raises:
        ValueError: If `function` is not callable.

    Example:
        >>> import nb3d
        >>> x = nb3d.Input((8, 8, 8, 3))
        >>> nb3d.layers.Lambda(lambda tensor: tensor[..., :1] * 2.0)(x).shape
        (None, 8, 8, 8, 1)

    Source: https://keras.io/api/layers/core_layers/lambda/
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise ValueError(f"The `function` argument must be callable. Received: {function!r}")
        self.function = function
        self._output_shape = output_shape
        self.mask = mask
        self.arguments = dict(arguments or {})
        self.supports_masking = mask is not None

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        offered = {"mask": mask, "training": training}
        accepted = _parameters(self.function)
        taken = {name: value for name, value in offered.items() if name in accepted}
        return self.function(inputs, **{**self.arguments, **taken})

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """The arguments; functions by their names, so one without a name cannot be restored."""
        config = {
            **super().get_config(),
            "function": serialize_value(self.function),
            "arguments": {name: serialize_value(value) for name, value in self.arguments.items()},
        }
        if self._output_shape is not None:
            config["output_shape"] = serialize_value(self._output_shape)
        if callable(self.mask):
            config["mask"] = serialize_value(self.mask)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Lambda:
        """A Lambda of functions that are custom objects.

        Raises:
            ValueError: If a function is none.
        """
        values = dict(config)
        for key in ("function", "mask", "output_shape"):
            if isinstance(values.get(key), str | Mapping):
                values[key] = _custom_function(values[key])
        return cls(**values)


def _custom_function(identifier: Any) -> Callable[..., Any]:
    """What the caller registered under a function's name; Keras 3 wraps the name in a dictionary."""
    name = identifier
    if isinstance(identifier, Mapping):
        name = identifier.get("config") if identifier.get("class_name") == "function" else None
    function = custom_object(name) if isinstance(name, str) else None
    if function is None:
        raise ValueError(f"its function {identifier!r} cannot be restored. {HOW_TO_REPLACE}")
    return function  # type: ignore[no-any-return]


def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(function).parameters)
    except ValueError:  # built in, without a signature
        return frozenset()
