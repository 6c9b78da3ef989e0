"""`BaseLayer`: what happens when a layer is called, from the checks of its inputs to the node that records it."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nb3d.engine import contexts
from nb3d.engine.building import Building
from nb3d.engine.call_arguments import build_arguments, mask_arguments, parameters
from nb3d.engine.connectivity import Connectivity
from nb3d.engine.dtypes import dtype_name
from nb3d.engine.input_spec import check_inputs
from nb3d.engine.losses import Contribution
from nb3d.engine.names import to_snake_case, unique_name
from nb3d.engine.node import symbolic_leaves
from nb3d.engine.opgraph import CAST, record
from nb3d.engine.recording import fresh_outputs, record_call
from nb3d.engine.settings import SETTINGS
from nb3d.engine.shapes import FIRST_LAYER_KEYWORDS, first_layer_shape, map_shapes, shapes_of
from nb3d.engine.structure import leaves, map_structure, to_list, unwrap
from nb3d.engine.tensor import KerasTensor, TensorSpec
from nb3d.engine.variable import Variable

_BASE_KEYWORDS = (*FIRST_LAYER_KEYWORDS, "weights")


class BaseLayer(Connectivity, Building):
    """A callable with weights: configuration in ``__init__``, weights in ``build``, mathematics in ``call``.

    `nb3d.layers.Layer` is the class to derive from; this one knows no strings for initializers and the like.

    Args:
        trainable: Whether training would change the weights.
        name: Name, unique within a model; made from the class name where absent.
        dtype: Name of the dtype of weights and computations.
        activity_regularizer: Function of an output tensor that gives a loss.
        **kwargs: `input_shape`, `batch_input_shape`, `batch_size` (for the first layer of a Sequential), `weights` (set
            after the first call).
    """

    supports_masking: bool = False

    def __init__(
        self,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        activity_regularizer: Callable[[Any], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        for keyword in kwargs:
            if keyword not in _BASE_KEYWORDS:
                raise TypeError(f"{type(self).__name__} got an unexpected keyword argument: {keyword!r}.")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{type(self).__name__}: expected a string as name, got {name!r}.")
        Connectivity.__init__(self)
        Building.__init__(self)
        self.name = name or unique_name(to_snake_case(type(self).__name__))
        self.trainable = trainable
        self.input_spec: Any = None
        self.stateful = False
        self._dtype = dtype_name(dtype) if dtype is not None else SETTINGS.floatx()
        self._graph = contexts.get_default_graph()
        self._initial_weights = kwargs.get("weights")
        self._class_name = type(self).__name__  # or what the file that it came from calls it
        self._batch_input_shape = first_layer_shape(kwargs)
        self._activity_regularizer: Callable[[Any], Any] | None = None
        self.activity_regularizer = activity_regularizer

    # -- properties ------------------------------------------------------------------------------------------------

    @property
    def activity_regularizer(self) -> Callable[[Any], Any] | None:
        """Function of an output that gives a loss, or ``None``."""
        return self._activity_regularizer

    @activity_regularizer.setter
    def activity_regularizer(self, regularizer: Callable[[Any], Any] | None) -> None:
        if regularizer is not None and contexts.in_eager_mode():
            raise ValueError(f"Layer {self.name!r}: an activity_regularizer cannot be used in eager mode.")
        self._activity_regularizer = regularizer

    @property
    def graph(self) -> contexts.Graph:
        """The graph that the layer was made in.

        Raises:
            RuntimeError: In eager mode.
        """
        contexts.forbid_in_eager_mode(self.name, "graph")
        return self._graph

    def _inner_layers(self) -> list[Any]:
        held = [value for value in vars(self).values() if isinstance(value, (BaseLayer, list, tuple, dict))]
        found = (item for value in held for item in leaves(value) if isinstance(item, BaseLayer))
        return list({id(layer): layer for layer in found}.values())

    def _family(self) -> Iterator[BaseLayer]:
        """The layer and all layers inside it, at any depth."""
        yield self
        for layer in self._inner_layers():
            yield from layer._family()

    # -- to be overridden ------------------------------------------------------------------------------------------

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The layer's mathematics, written with `nb3d.ops`; the identity by default."""
        return inputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the output.

        Args:
            inputs: A tensor or a list of tensors.
            mask: Their masks, ``None`` or a list with ``None`` for inputs without.

        Raises:
            TypeError: If there is a mask and the layer does not support masking.
        """
        if self.supports_masking:
            return mask
        if any(item is not None for item in leaves(mask)):
            raise TypeError(
                f"Layer {self.name!r} ({type(self).__name__}) does not support masking, but was passed an "
                f"input_mask: {mask}."
            )
        return None

    def ends_masks(self, masks: list[Any]) -> bool:
        """Whether there are masks among `masks`, and the layer neither supports them nor makes masks of its own."""
        makes_own = type(self).compute_mask is not BaseLayer.compute_mask
        return not (self.supports_masking or makes_own) and any(mask is not None for mask in masks)

    def get_config(self) -> dict[str, Any]:
        """The arguments from which `from_config` makes the same layer, without weights or connections."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        if self._batch_input_shape is not None:
            config["batch_input_shape"] = self._batch_input_shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new layer from the result of `get_config`: the same name, not built, not connected."""
        return cls(**config)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for a shape of the input (lists of shapes for several).

        It follows from `call`, which is run on symbols; nothing of the layer changes.
        """
        with contexts.Graph().as_default() as graph, contexts.inside_call(symbolic=True):
            layer = self if self.built else copy.deepcopy(self)
            layer = copy.copy(layer)
            layer._graph = graph
            filed = [(kept, len(kept)) for member in self._family() for kept in (member._losses, member._updates)]
            inputs = map_shapes(lambda shape: KerasTensor(shape, self.dtype), input_shape)
            try:
                layer._prepare((inputs,), {})
                outputs = layer.run_call((inputs,), {})
            finally:
                for kept, count in filed:
                    del kept[count:]
        return shapes_of(outputs)

    # -- the call --------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Applies the layer.

        On symbolic tensors it records a node and returns symbolic tensors; on arrays it computes and returns arrays.
        """
        call_args = (inputs, *args)
        symbolic = symbolic_leaves(call_args, kwargs)
        if not symbolic:
            call_args = (map_structure(_as_array, inputs), *args)
        for tensor in symbolic:
            if tensor.graph is not self._graph and not contexts.call_depth():
                raise ValueError(
                    f"Layer {self.name!r} and its input {tensor.name!r} are not of one graph: the graphs of inputs and "
                    "layers are not the same. Make both under the same default graph."
                )
        if self._activity_regularizer is not None and contexts.in_eager_mode():
            raise ValueError(f"Layer {self.name!r}: an activity_regularizer cannot be used in eager mode.")
        self._prepare(call_args, kwargs)
        masks = [_mask_of(value) for value in leaves(inputs)]
        named = mask_arguments(type(self).call, call_args, kwargs, _mask_of)
        outputs = self.run_call(call_args, {**kwargs, **named}, masks)
        if symbolic:
            outputs = self._record(call_args, kwargs, outputs, masks)
        if self._initial_weights is not None:
            weights, self._initial_weights = self._initial_weights, None
            self.set_weights(weights)
        return outputs

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The same as calling the layer."""
        return self(inputs, *args, **kwargs)

    def _prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Checks the inputs and builds the layer on the first call."""
        flat = [value for value in leaves(args[0]) if hasattr(value, "shape")]
        check_inputs(self.name, self.input_spec, flat)
        self._claim_scope()
        if not self.built:
            with contexts.inside_call(symbolic=True):
                try:
                    shapes = build_arguments(type(self).build, type(self).call, args, kwargs)
                    self.build(**shapes) if len(shapes) > 1 else self.build(*shapes.values())
                except ValueError as error:
                    raise self._named(error) from error
            self.built = True
            check_inputs(self.name, self.input_spec, flat)

    def run_call(self, args: tuple[Any, ...], kwargs: dict[str, Any], masks: list[Any] | None = None) -> Any:
        """The result of `call` on tensors or arrays, with mask and training mode passed on; no node is added.

        Args:
            args: Positional arguments of the call, inputs first.
            kwargs: Keyword arguments of the call.
            masks: Masks of the inputs, flat.
        """
        symbolic = bool(symbolic_leaves(args, kwargs))
        accepted = parameters(type(self).call)
        kwargs = dict(kwargs)
        if masks and "mask" in accepted and "mask" not in kwargs and any(mask is not None for mask in masks):
            kwargs["mask"] = unwrap(masks) if not isinstance(args[0], list | tuple) else list(masks)
        training = kwargs.get("training")
        if training is None:
            training = contexts.inherited_training()
            if training is not None and "training" in accepted:
                kwargs["training"] = training
        args, kwargs = map_structure(self._cast, args), map_structure(self._cast, kwargs)
        with contexts.inside_call(symbolic=symbolic, training=training):
            try:
                outputs = self.call(*args, **kwargs)
            except ValueError as error:
                raise self._named(error) from error
        if outputs is None:
            raise ValueError(f"Layer {self.name!r}: call() must return a tensor or a list of them, it returned None.")
        return outputs

    def _named(self, error: ValueError) -> ValueError:
        """The same error with the layer's name in front, once."""
        text = str(error)
        if text.startswith(("Layer ", "Input ")):
            return error
        return ValueError(f"Layer {self.name!r} ({type(self).__name__}): {text}")

    def _cast(self, value: Any) -> Any:
        """Floating inputs take the layer's dtype, as in Keras 3."""
        if not isinstance(value, KerasTensor | Variable | np.ndarray) or str(value.dtype) == self.dtype:
            return value
        if not (str(value.dtype).startswith("float") and self.dtype.startswith("float")):
            return value
        if isinstance(value, np.ndarray):
            return value.astype(self.dtype)
        return record(CAST, (value,), TensorSpec(tuple(value.shape), self.dtype), {"dtype": self.dtype})

    def _record(self, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any, masks: list[Any]) -> Any:
        """Wraps the outputs of a symbolic call, gives them masks, files activity losses, adds the node."""
        with contexts.inside_call(symbolic=True):
            outputs = fresh_outputs(self.name, outputs)
            flat = symbolic_leaves(outputs)
            if self.ends_masks(masks):
                warnings.warn(
                    f"Layer {self.name!r} ({type(self).__name__}) does not support masking: the mask of its input ends "
                    "here, and layers after it do not see it.",
                    UserWarning,
                    stacklevel=3,
                )
                masks = [None] * len(masks)
            mask = self.compute_mask(args[0], masks if isinstance(args[0], list | tuple) else unwrap(masks))
            flat_masks = to_list(mask) if isinstance(mask, list | tuple) else [mask] * len(flat)
            for tensor, output_mask in zip(flat, flat_masks, strict=False):
                tensor._keras_mask = output_mask
            self.add_activity_losses(flat, symbolic_leaves(args))
        if not contexts.in_eager_mode() and all(isinstance(value, KerasTensor) for value in leaves(args[0])):
            record_call(self, args, kwargs, outputs)
        return outputs

    def add_activity_losses(self, outputs: list[KerasTensor], inputs: list[KerasTensor]) -> None:
        """Files one loss per output for the activity regularizer, conditional on the inputs of the call."""
        if self._activity_regularizer is not None:
            for tensor in outputs:
                self.add_loss(self._activity_regularizer(tensor), inputs=inputs)

    # -- losses, updates and copies --------------------------------------------------------------------------------

    def all_losses(self) -> list[Contribution]:
        """Losses of this layer and of the layers inside it."""
        return [item for member in self._family() for item in member._losses]

    def all_updates(self) -> list[Contribution]:
        """Updates of this layer and of the layers inside it."""
        return [item for member in self._family() for item in member._updates]

    def _loss_items(self) -> list[Contribution]:
        return self.all_losses()

    def _update_items(self) -> list[Contribution]:
        return self.all_updates()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """An independent layer of the same name with the same weights, not connected to anything."""
        duplicate = type(self).__new__(type(self))
        memo[id(self)] = duplicate
        fresh: dict[str, Any] = {"_inbound_nodes": [], "_outbound_nodes": [], "_losses": [], "_updates": []}
        for key, value in vars(self).items():
            if key == "_graph":
                setattr(duplicate, key, value)
            elif key in fresh:
                duplicate.__dict__[key] = fresh[key]
            else:
                duplicate.__dict__[key] = copy.deepcopy(value, memo)
        if not contexts.in_eager_mode():
            for variable in [*duplicate._trainable_weights, *duplicate._non_trainable_weights]:
                duplicate._add_regularization(variable)
        return duplicate

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _mask_of(value: Any) -> Any:
    return getattr(value, "_keras_mask", None)


def _as_array(value: Any) -> Any:
    return value if value is None or isinstance(value, np.ndarray | Variable) else np.asarray(value)
