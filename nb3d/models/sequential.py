"""`Sequential`: a model whose layers form a chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from nb3d.activations import ACTIVATIONS
from nb3d.engine import sharing
from nb3d.engine.layer import BaseLayer
from nb3d.engine.node import symbolic_leaves
from nb3d.engine.registry import custom_object_scope
from nb3d.engine.shapes import shapes_of
from nb3d.engine.tensor import Dims, is_keras_tensor
from nb3d.layers import Input, InputLayer, deserialize, serialize
from nb3d.layers.registry import LAYERS
from nb3d.models.model import Model


@ACTIVATIONS.register()
@LAYERS.register()
class Sequential(Model):
    """A chain of layers.

    The chain is wired as soon as its input shape is known: from an `Input` at its head, the `input_shape` of its first
    layer, or the first call.

    Args:
        layers: Layers, first to last.
        name: Name; ``sequential`` where absent.
        trainable: Whether training would change the weights.

    Example:
        >>> import nb3d
        >>> model = nb3d.Sequential([nb3d.Input((8, 8, 8, 1)), nb3d.layers.Conv3D(4, 3), nb3d.layers.Flatten()])
        >>> model.output_shape
        (None, 864)
    """

    numbered_from_one = False

    def __init__(self, layers: Iterable[Any] | None = None, name: str | None = None, trainable: bool = True) -> None:
        BaseLayer.__init__(self, name=name, trainable=trainable)
        self._chain: list[Any] = []
        end = None
        for layer in layers or ():
            end = self._append(layer, end)
        if end is not None:
            self._wire(self._head, end)  # once: to wire a chain takes time for every layer of it

    @property
    def layers(self) -> list[Any]:
        """What was added, without the input layer."""
        return [layer for layer in self._chain if not isinstance(layer, InputLayer)]

    def add(self, layer: Any) -> None:
        """Puts a layer at the end of the chain.

        Args:
            layer: A layer or a model; at the head of the chain also the result of `nb3d.Input`.

        Raises:
            TypeError: If it is no layer.
            ValueError: If the name is taken, or the layer does not fit the chain.
        """
        end = self._append(layer, None)
        if end is not None:
            self._wire(self._head, end)

    def _append(self, layer: Any, end: Any) -> Any:
        """Puts a layer at the end of the chain, without wiring it.

        Args:
            layer: See `add`.
            end: The output of the layer before it, if that is not wired yet.

        Returns:
            Its output; ``None`` while the input shape is unknown.
        """
        if is_keras_tensor(layer) and isinstance(layer._keras_history.operation, InputLayer):
            layer = layer._keras_history.operation
        if not isinstance(layer, BaseLayer):
            raise TypeError(f"Sequential {self.name!r}: expected a layer, got {layer!r}.")
        if any(layer.name == other.name for other in self._chain):
            raise ValueError(f"Sequential {self.name!r}: a layer named {layer.name!r} is there already.")
        if isinstance(layer, InputLayer):
            if self._chain:
                raise ValueError(f"Sequential {self.name!r}: an Input can only be the first layer.")
            self._chain.append(layer)
            return None
        source = self._end_of_chain(layer) if end is None else end
        output = None
        if source is not None:
            output = layer(source)
            if len(symbolic_leaves(output)) != 1:
                raise ValueError(f"Sequential {self.name!r}: layer {layer.name!r} must have exactly one output.")
        self._chain.append(layer)
        return output

    def pop(self) -> Any:
        """Takes the last layer off the chain and returns it.

        Raises:
            ValueError: If there is none.
        """
        if not self.layers:
            raise ValueError(f"Sequential {self.name!r}: there are no layers to take off.")
        layer = self._chain.pop()
        if self.built:
            last = self.outputs[0]._keras_history
            layer._inbound_nodes.remove(last.operation._inbound_nodes[last.node_index])
            if self.layers:
                self._wire(self._head, self._last_output())
            else:
                self._unwire()
        return layer

    def _unwire(self) -> None:
        self.built = False
        self._inbound_nodes.clear()

    @property
    def _head(self) -> Any:
        return self._chain[0]._inbound_nodes[0].output_tensors[0]

    def _last_output(self) -> Any:
        return self._chain[-1]._inbound_nodes[-1].output_tensors[0]

    def _end_of_chain(self, layer: BaseLayer) -> Any:
        """The tensor that the next layer is called on; None while the input shape is unknown."""
        if self.built:
            return self.outputs[0]
        if not self._chain:
            shape = layer._batch_input_shape
            if shape is None and isinstance(layer, Model) and layer.built:
                shape = layer.inputs[0].shape
            if shape is None:
                return None
            self._begin(shape, layer.dtype)
        return self._head if isinstance(self._chain[0], InputLayer) else None

    def _begin(self, batch_shape: Dims, dtype: str) -> None:
        tensor = Input(batch_shape=batch_shape, dtype=dtype)
        self._chain.insert(0, tensor._keras_history.operation)

    def build(self, input_shape: Any = None) -> None:
        """Wires a chain whose input shape was not known.

        Args:
            input_shape: Shape of the input, batch first.

        Raises:
            ValueError: If there are no layers, or the shape does not fit.
        """
        if self.built:
            return
        if not self.layers:
            raise ValueError(f"Sequential {self.name!r} has no layers: add some before it is built or called.")
        if isinstance(self._chain[0], InputLayer):
            raise ValueError(f"Sequential {self.name!r} begins with an Input but has no other layer.")
        self._begin(tuple(input_shape), self._chain[0].dtype)
        output = self._head
        for layer in self.layers:
            output = layer(output)
        self._wire(self._head, output)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Applies the chain; see `Model`."""
        self._build_for(inputs)
        return super().__call__(inputs, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The outputs for any number of samples; see `Model.predict`."""
        self._build_for(x)
        return super().predict(x, *args, **kwargs)

    def predict_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """The outputs for one batch; see `Model.predict_on_batch`."""
        self._build_for(x)
        return super().predict_on_batch(x, *args, **kwargs)

    def _build_for(self, inputs: Any) -> None:
        if not self.built:
            (shape,) = [shapes_of(value) for value in _only(inputs)]
            self.build((None, *shape[1:]))

    def get_config(self) -> dict[str, Any]:
        """Layers in order, the input layer included where the input shape is known."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        with sharing.writing(self):
            config["layers"] = [serialize(layer) for layer in self._chain]
        if self.built:
            config["build_input_shape"] = self.inputs[0].shape
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A new chain of the same layers, with fresh weights.

        Args:
            config: The result of `get_config`, or that of a Sequential of any version of Keras, a bare list included.
            custom_objects: Name -> class or function.
        """
        entries = config if isinstance(config, list) else config["layers"]
        options = {} if isinstance(config, list) else config
        with custom_object_scope(custom_objects), sharing.reading():
            model = cls(
                [deserialize(dict(entry)) for entry in entries],
                name=options.get("name"),
                trainable=options.get("trainable", True),
            )
        shape = options.get("build_input_shape")
        if shape and not model.built and model.layers:
            model.build(tuple(shape))
        return model


def _only(inputs: Any) -> list[Any]:
    values = inputs if isinstance(inputs, list | tuple) else [inputs]
    if len(values) != 1:
        raise ValueError(f"A Sequential takes one input, got {len(values)}.")
    return [value if hasattr(value, "shape") else np.asarray(value) for value in values]
