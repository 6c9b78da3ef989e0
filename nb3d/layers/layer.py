"""`Layer`: the class to derive from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nb3d import constraints, initializers, regularizers
from nb3d.engine.identifiers import serialize_value
from nb3d.engine.layer import BaseLayer
from nb3d.engine.variable import Variable
from nb3d.ops.dtypes import is_float

# The order of add_weight's arguments in Keras 2, where a name comes first, and in Keras 3, where a shape does.
_NAME_FIRST = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
_SHAPE_FIRST = ("shape", "initializer", "dtype", "trainable", "regularizer", "constraint", "name")


class Layer(BaseLayer):
    """A callable with weights and a name: the base of all layers.

    Derive from it, make weights in ``build`` with `add_weight`, and write the mathematics in ``call`` with `nb3d.ops`.
    That one text computes on arrays, records the graph and infers shapes on symbolic tensors, and becomes a plan.

    Args:
        trainable: Whether training would change the weights.
        name: Name, unique within a model; made from the class name where absent.
        dtype: Name of the dtype of weights and computations.
        activity_regularizer: Function of an output tensor that gives a loss.
        **kwargs: `input_shape`, `batch_input_shape`, `batch_size` (for the first layer of a Sequential), `weights`
            (arrays, set after the first call).

    Raises:
        TypeError: If there is another keyword.

    Example:
        >>> import nb3d, numpy as np
        >>> class Scale(nb3d.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(name="factor", shape=(1,), initializer="ones")
        ...
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()(np.array([[1.0, 2.0]], "float32"))
        array([[1., 2.]], dtype=float32)
        >>> Scale()(nb3d.Input((8, 8, 8, 1))).shape
        (None, 8, 8, 8, 1)

    Source: https://keras.io/api/layers/base_layer/
    """

    # The arguments that stand in the configuration; each is an attribute of the same name.
    config_fields: tuple[str, ...] = ()

    def __init__(
        self,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable, name, dtype, regularizers.get(activity_regularizer), **kwargs)

    def add_weight(self, *args: Any, **kwargs: Any) -> Variable:
        """Adds a Variable to the layer.

        It takes ``(name, shape, dtype, initializer, regularizer, trainable, constraint)``, as Keras 2 does; where the
        first argument is no string, ``(shape, initializer, dtype, trainable, regularizer, constraint, name)``, as Keras
        3 does.

        Args:
            *args: The arguments below, by place.
            **kwargs: ``name``: name within the layer; ``shape``: sizes, those of a number where absent; ``dtype``: name
                of the dtype, the layer's where absent; ``initializer``, ``regularizer``, ``constraint``: a name, a
                config or a callable each; ``trainable``: whether training would change it.

        Raises:
            TypeError: If there is another keyword, or one comes twice.
            ValueError: If a name is taken, or an identifier is unknown.
        """
        given = _bound(args, kwargs)
        shape = given.get("shape")
        return self.add_variable(
            name=given.get("name") or self._free_name(),
            shape=() if shape is None else (shape,) if isinstance(shape, int) else tuple(shape),
            dtype=given.get("dtype"),
            initializer=initializers.get(given.get("initializer")),
            regularizer=regularizers.get(given.get("regularizer")),
            trainable=given.get("trainable", True),
            constraint=constraints.get(given.get("constraint")),
        )

    def default_initializer(self, dtype: str) -> Callable[..., Any]:
        """What a weight starts with where nothing is asked: Glorot uniform for floats, zeros for all else."""
        return initializers.GlorotUniform() if is_float(dtype) else initializers.Zeros()

    def _free_name(self) -> str:
        count = len(self._trainable_weights) + len(self._non_trainable_weights)
        return f"variable_{count}" if count else "variable"

    def get_config(self) -> dict[str, Any]:
        """The arguments from which `from_config` makes the same layer, without weights or connections."""
        config = super().get_config()
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize_value(self.activity_regularizer)
        return config | {field: serialize_value(getattr(self, field)) for field in self.config_fields}


def _bound(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    order = _NAME_FIRST if args and isinstance(args[0], str) else _SHAPE_FIRST
    if len(args) > len(order):
        raise TypeError(f"add_weight takes at most {len(order)} arguments, got {len(args)}.")
    given = dict(zip(order, args, strict=False))
    for keyword, value in kwargs.items():
        if keyword not in order:
            raise TypeError(f"add_weight got an unexpected keyword argument: {keyword!r}.")
        if keyword in given:
            raise TypeError(f"add_weight got several values for the argument {keyword!r}.")
        given[keyword] = value
    return given
