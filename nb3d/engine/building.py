"""How a layer comes by its weights: its scope, ``build``, and ``add_variable``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from nb3d.engine import contexts
from nb3d.engine.call_arguments import by_name
from nb3d.engine.dtypes import dtype_name
from nb3d.engine.losses import LossesAndUpdates
from nb3d.engine.names import unique_scope
from nb3d.engine.variable import Variable
from nb3d.engine.weights import WeightStore


class Building(WeightStore, LossesAndUpdates):
    """Creates Variables under the layer's scope and files the losses of their regularizers."""

    _dtype: str
    _graph: contexts.Graph

    def __init__(self) -> None:
        WeightStore.__init__(self)
        LossesAndUpdates.__init__(self)
        self.built = False
        self._scope: str | None = None
        self._building = 0
        self._built_for: dict[str, Any] = {}  # what `build` was given, which files tell

    @property
    def dtype(self) -> str:
        """Name of the dtype of weights and computations."""
        return self._dtype

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _guarded_build(cls.__dict__["build"])  # type: ignore[method-assign]

    @property
    def scope_name(self) -> str:
        """The prefix of the names of the layer's weights.

        Raises:
            ValueError: Before the layer is built or called.
        """
        if self._scope is None:
            raise ValueError(f"No name available for layer scope: layer {self.name!r} has not been used yet.")
        return self._scope

    def _claim_scope(self) -> str:
        if self._scope is None:
            self._scope = unique_scope(self.name, self._graph.scopes)
        return self._scope

    def build(self, input_shape: Any) -> None:
        """Creates the weights; called once, before the first `call`.

        Args:
            input_shape: Shape of the input, batch first, or a list of shapes.
        """
        self._claim_scope()
        self.built = True

    def default_initializer(self, dtype: str) -> Callable[..., Any]:
        """What a Variable starts with where nothing is asked."""
        return np.zeros

    def add_variable(
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        initializer: Callable[..., Any] | None = None,
        regularizer: Callable[[Any], Any] | None = None,
        trainable: bool = True,
        constraint: Callable[[Any], Any] | None = None,
    ) -> Variable:
        """Adds a Variable to the layer, or returns the one it has under that name.

        Args:
            name: Name within the layer.
            shape: Sizes.
            dtype: Name of the dtype; the layer's where absent.
            initializer: Function ``(shape, dtype=...)``; `default_initializer` where absent.
            regularizer: Function of the Variable that gives a loss, filed as an unconditional one.
            trainable: Whether training would change it.
            constraint: Function that optimizers would apply; kept on the Variable.

        Raises:
            ValueError: If the name is taken before the layer is built, or is new after that.
            RuntimeError: In eager mode with a regularizer.
        """
        if regularizer is not None:
            contexts.forbid_in_eager_mode(self.name, "a variable with a regularizer")
        scope = self._claim_scope()
        path = f"{scope}/{name}"
        existing = {variable.name: variable for variable in self._trainable_weights + self._non_trainable_weights}
        settled = self.built and not self._building
        if path in existing:
            if settled and existing[path].shape == tuple(shape):
                return existing[path]
            raise ValueError(f"Layer {self.name!r} already has a variable {name!r} of shape {existing[path].shape}.")
        if settled:
            raise ValueError(
                f"Layer {self.name!r} is built: a new variable {name!r} cannot be added any more. "
                f"It has {sorted(existing) or 'no variables'}. Add variables in build()."
            )
        dtype = dtype_name(dtype) if dtype is not None else self.dtype
        variable = Variable(
            initializer or self.default_initializer(dtype),
            shape,
            dtype,
            trainable=trainable,
            name=path,
            constraint=constraint,
            regularizer=regularizer,
        )
        self._file_weight(variable, trainable)
        self._add_regularization(variable)
        return variable

    def _add_regularization(self, variable: Variable) -> None:
        if variable.regularizer is not None:
            with contexts.inside_call(symbolic=True):
                loss = variable.regularizer(variable)
            if loss is not None:
                self.add_loss(loss)


def _guarded_build(build: Callable[..., None]) -> Callable[..., None]:
    """`build` with room for new variables while it runs and ``built`` set when it is done."""

    @functools.wraps(build)
    def guarded(self: Building, *args: Any, **kwargs: Any) -> None:
        self._claim_scope()
        self._building += 1
        try:
            build(self, *args, **kwargs)
        finally:
            self._building -= 1
        if not self._building:
            self.built = True
            self._built_for = by_name(type(self).build, args, kwargs)

    return guarded
