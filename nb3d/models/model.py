"""`Model`: a network that predicts."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from nb3d.engine.network import Network
from nb3d.engine.node import symbolic_leaves
from nb3d.engine.structure import leaves, unwrap
from nb3d.inspect.summary import print_summary
from nb3d.kernels.compiling import quietly
from nb3d.layers import Layer
from nb3d.layers.registry import LAYERS
from nb3d.models import files
from nb3d.models.batches import in_batches
from nb3d.models.describe import describe
from nb3d.models.progress import progress
from nb3d.models.rebuild import rebuild
from nb3d.plan.feeds import as_feed, is_on_host
from nb3d.plan.function import Function, Plan


@LAYERS.register("Functional")
class Model(Network, Layer):
    """Layers wired from inputs to outputs, ready to predict.

    Args:
        inputs: Tensors made by `nb3d.Input`: one, a list, or a dict.
        outputs: Tensors computed from them: one, a list, or a dict. A single one makes calls return a bare tensor.
        name: Name; ``model`` where absent.
        trainable: Whether training would change the weights.

    Raises:
        ValueError: If an input was not made by `nb3d.Input` or stands there twice, an output is not symbolic, an output
            needs a tensor that the inputs do not give, or two layers have one name.

    Example:
        >>> import nb3d, numpy as np
        >>> x = nb3d.Input((8, 8, 8, 1))
        >>> y = nb3d.layers.Conv3D(2, 3, padding="same", activation="relu")(x)
        >>> model = nb3d.Model(x, y)
        >>> model.predict(np.zeros((1, 8, 8, 8, 1)), verbose=0).shape
        (1, 8, 8, 8, 2)
    """

    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, trainable: bool = True
    ) -> None:
        if inputs is None or outputs is None:
            raise TypeError(
                f"{type(self).__name__}: expected inputs and outputs. nb3d's models are functional: "
                "Model(inputs, outputs); subclasses must hand both to super().__init__."
            )
        super().__init__(inputs, outputs, name=name, trainable=trainable)

    def _wire(self, inputs: Any, outputs: Any) -> None:
        super()._wire(inputs, outputs)
        self._functions: dict[tuple[str, bool], Function] = {}

    def function(self, device: str = "auto", check_finite: bool = False) -> Function:
        """The model as a function of a list of arrays, with its cache of plans; arguments as for `predict`."""
        key = device, check_finite
        if key not in self._functions:
            self._functions[key] = Function(self.inputs, self.outputs, device=device, check_finite=check_finite)
        return self._functions[key]

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Applies the model: symbolic on symbolic tensors; on arrays it computes at once.

        Args:
            inputs: One tensor or array, a list, or a dict by the names of the input layers.
            *args: Further arguments of `call`.
            **kwargs: ``training=True`` makes dropout random and batch normalization use the batch's statistics.
        """
        training = args[0] if args else kwargs.get("training")
        if symbolic_leaves(inputs) or training or kwargs.get("mask") is not None:
            return super().__call__(inputs, *args, **kwargs)
        return self.predict_on_batch(inputs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        device: str = "auto",
        check_finite: bool = False,
    ) -> Any:
        """The outputs for any number of samples, batch by batch.

        Args:
            x: An array, a list of them, or a dict by the names of the input layers; samples along the first axis.
            batch_size: Samples at a time. By default as many, up to 32, as keep the working memory small; results do
                not depend on it. Inputs with a batch size in their shape have their own.
            verbose: 0 is silent, 1 shows a progress bar; ``'auto'`` shows one when the work is long and the output is a
                terminal. Unless it is 0, a process that compiles kernels for more than a second says so, once, on
                standard error.
            device: ``'auto'``, ``'cpu'`` or ``'cuda'``.
            check_finite: Whether to stop where the first value that is NaN or infinite comes up. It takes longer, as
                every layer is looked at.

        Returns:
            An array, or a list or dict of arrays, as the model's outputs are.

        Raises:
            ValueError: If shapes do not fit, or the inputs differ in their number of samples.
            TypeError: If `x` is symbolic.
            FloatingPointError: With `check_finite`, if a value is not finite; the message names the layer and the
                voxel.
        """
        function = self.function(device, check_finite)
        arrays = self._arrays(x, device)
        samples = arrays[0].shape[0]
        if any(array.shape[0] != samples for array in arrays):
            raise ValueError(
                f"Model {self.name!r}: all inputs need the same number of samples, got "
                f"{[array.shape[0] for array in arrays]}."
            )
        parts: list[list[np.ndarray]] = []

        def collected() -> Iterator[slice]:
            for part, outputs in in_batches(function, arrays, batch_size):
                parts.append(outputs)
                yield part

        with quietly(verbose == 0):
            for _ in progress(collected(), samples, verbose, f"predict {self.name}"):
                pass
        if not parts:
            return self._structured([self._empty(tensor) for tensor in self.outputs])
        joined = [np.concatenate(results) if len(parts) > 1 else results[0] for results in zip(*parts, strict=True)]
        return self._structured(joined)

    def predict_on_batch(self, x: Any, device: str = "auto") -> Any:
        """The outputs for one batch; arguments as for `predict`."""
        return self._structured(self.function(device)(self._arrays(x, device)))

    def predict_on_device(self, x: Any, stream: Any = None) -> Any:
        """The outputs for one batch on the GPU, left there for CuPy, PyTorch, JAX or Numba: nothing is copied.

        Args:
            x: As for `predict`; arrays that lie on the GPU are read where they are. They must be contiguous, channels
                last, in the dtype of the input.
            stream: A CUDA stream of any library, or its handle: `x` is read when what the stream has been given is
                done, and what it is given afterwards sees the results. Without one, the call returns when the results
                are there.

        Returns:
            A `nb3d.DeviceArray`, or a list or dict of them, as the model's outputs are. They follow
            ``__cuda_array_interface__`` and DLPack: ``torch.from_dlpack(y)``, ``cupy.asarray(y)``.

        Raises:
            RuntimeError: If there is no GPU that can be used.
            ValueError: If `x` does not fit, or lies on another GPU.
            TypeError: If `x` has another dtype on the GPU.
            MemoryError: If the GPU has not enough memory.
        """
        return self._structured(self.function("cuda").on_device(self._arrays(x, "cuda"), stream))

    def layer_outputs(self, x: Any, layers: Iterable[str] | None = None, device: str = "auto") -> dict[str, Any]:
        """What layers compute, for one batch: to compare networks, and to look inside one.

        Args:
            x: As for `predict`; all samples are computed at once.
            layers: Names of layers and operations, ``network/layer`` for those of networks inside; all where absent.
            device: ``'auto'``, ``'cpu'`` or ``'cuda'``.

        Returns:
            Name -> output, in the order of computation; a list for a layer that is called several times, or has several
            outputs.

        Raises:
            ValueError: If there is no such layer, or `x` does not fit.
        """
        tensors: dict[str, list[Any]] = {}
        for node in self.nodes:
            for name, outputs in [*node.inside, (node.outbound_layer.name, node.output_tensors)]:
                tensors.setdefault(name, []).extend(outputs)
        if layers is not None:
            wanted = {name if name in tensors else self.get_layer(name).name for name in layers}
            tensors = {name: kept for name, kept in tensors.items() if name in wanted}
        flat = [tensor for kept in tensors.values() for tensor in kept]
        values = iter(Function(self.inputs, flat, device=device)(self._arrays(x, device)))
        return {name: unwrap([next(values) for _ in kept]) for name, kept in tensors.items()}

    def _arrays(self, x: Any, device: str = "auto") -> list[Any]:
        if symbolic_leaves(x):
            raise TypeError(f"Model {self.name!r}: predict needs arrays, got the symbolic {symbolic_leaves(x)[0]!r}.")
        if isinstance(x, dict):
            x = {key: as_feed(value) for key, value in x.items()}
        elif isinstance(x, list | tuple) and (len(self.inputs) > 1 or any(hasattr(value, "shape") for value in x)):
            x = [as_feed(value) for value in x]
        else:
            x = as_feed(x)
            if is_on_host(x) and x.dtype.kind not in "fiub":
                raise TypeError(f"Model {self.name!r}: predict needs numbers, got {type(x.item(0)).__name__}.")
        return self.function(device).check(self._flat_inputs(x), any_batch=True)

    def _empty(self, tensor: Any) -> np.ndarray:
        return np.empty((0, *(size or 0 for size in tensor.shape[1:])), tensor.dtype)

    def plan(self, *shapes: Any, device: str = "auto") -> Plan:
        """What a prediction does for inputs of given shapes: print it to see steps, kernels, arithmetic and memory.

        Args:
            *shapes: One shape per input, with or without the batch size (the model's own then, or 1). Without any, the
                model's own input shapes, which must be known but for the batch size.
            device: ``'auto'``, ``'cpu'`` or ``'cuda'``; to look at a plan for a GPU takes none.

        Raises:
            ValueError: If the number of shapes, or one of them, does not fit.

        Example:
            >>> import nb3d
            >>> x = nb3d.Input((None, None, None, 8))
            >>> model = nb3d.Model(x, nb3d.layers.Conv3D(16, 3, padding="same", name="conv")(x))
            >>> print(model.plan((32, 32, 32, 8), device="cuda"))  # doctest: +ELLIPSIS
            step  layer  operation     output ...
            0     conv   conv3d + add  1x32x32x32x16 ...
        """
        wanted = [tensor.shape for tensor in self.inputs]
        if len(shapes) == 1 and shapes[0] and isinstance(shapes[0][0], list | tuple):
            shapes = tuple(shapes[0])
        given = shapes or tuple(shape[1:] for shape in wanted)
        if len(given) != len(wanted):
            raise ValueError(f"Model {self.name!r} has {len(wanted)} inputs; got {len(given)} shapes.")
        full = [
            (want[0] or 1, *shape) if len(shape) == len(want) - 1 else tuple(shape)
            for shape, want in zip(given, wanted, strict=True)
        ]
        return self.function(device).plan(full)

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] = print,
        expand_nested: bool = False,
        show_trainable: bool = False,
    ) -> None:
        """Prints a table of the layers: output shapes in full, parameters, and what each is connected to.

        Args:
            line_length: Width of the table; as wide as its content where absent.
            positions: Kept for Keras' signature; columns fit their content.
            print_fn: Called with every line.
            expand_nested: Whether to list the layers of models inside the model.
            show_trainable: Whether to say of each layer if it is trainable.
        """
        print_summary(self, line_length, print_fn, expand_nested, show_trainable)

    def get_config(self) -> dict[str, Any]:
        """Layers, connections and ends of the graph: what `from_config` rebuilds, without weights."""
        return describe(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        """A new model of the same layers and connections, with fresh weights.

        Args:
            config: The result of `get_config`, or the configuration of a functional model that Keras wrote.
            custom_objects: Name -> class or function, for names that nb3d does not know.
        """
        return rebuild(config, custom_objects, cls)

    def to_json(self, **kwargs: Any) -> str:
        """The configuration as JSON text, as Keras 3 writes it: for `model_from_json`, here or there.

        Args:
            **kwargs: Arguments of `json.dumps`.

        Raises:
            nb3d.saving.ModelFileError: If the model holds what a configuration cannot, such as a function without name.
        """
        return json.dumps(files.formats().configuration(self), **kwargs)

    def save(self, filepath: files.Path, overwrite: bool = True, *, self_test: bool = False) -> None:
        """Writes configuration and weights to a file that `nb3d.models.load_model` opens.

        By the end of its name it is a ``.keras`` file, as Keras 3 writes and opens them; a ``.h5`` or ``.hdf5`` file,
        Keras' older format; or a ``.safetensors`` file, nb3d's own plain format, which needs no h5py.

        The file is written beside its place and moved there when it is whole: a save that fails leaves the old one.

        Args:
            filepath: Name of the file.
            overwrite: Whether a file that is there already is replaced.
            self_test: Whether to store a small input and, for every layer, statistics of what it computes from it;
                ``load_model(..., verify=True)`` compares. Keras ignores it.

        Raises:
            nb3d.saving.ModelFileError: If the name has another ending, or the model holds what a file cannot.
            FileExistsError: If there is such a file and `overwrite` is false.
            ImportError: If h5py is missing and needed.
        """
        files.formats().write_model(self, filepath, overwrite=overwrite, self_test=self_test)

    def save_weights(self, filepath: files.Path, overwrite: bool = True) -> None:
        """Writes the weights alone, to a ``.weights.h5`` or ``.safetensors`` file; arguments, errors as for `save`."""
        files.formats().write_weights(self, filepath, overwrite=overwrite)

    def load_weights(
        self,
        filepath: files.Path,
        skip_mismatch: bool = False,
        by_name: bool = False,
        *,
        max_bytes: int = files.MAX_BYTES,
        nonfinite: files.Nonfinite = "error",
    ) -> None:
        """Takes the weights from a file of a model of the same architecture; all of them, or none if one does not fit.

        Layers find their weights by their order in the model, whatever they are called.

        Args:
            filepath: A ``.weights.h5`` file, a legacy ``.h5`` file of weights, or what `nb3d.models.load_model` reads.
            skip_mismatch: Whether to leave weights as they are where those in the file have another shape, or a layer
                has another number of them (which in a legacy file needs `by_name`); a warning tells each.
            by_name: Whether layers find their weights in a legacy ``.h5`` file by name: those whose name is not in the
                file keep theirs, and what the model has no layer for is left in the file.
            max_bytes: The most memory that the weights may take.
            nonfinite: What to do about weights that are NaN or infinite; see `nb3d.models.load_model`.

        Raises:
            nb3d.saving.ModelFileError: If the file is not there or damaged, or its weights do not fit.
            ImportError: If h5py is missing.
        """
        options = {"by_name": by_name, "skip_mismatch": skip_mismatch}
        files.formats().read_weights(self, filepath, max_bytes=max_bytes, nonfinite=nonfinite, **options)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """An independent model: copies of the layers, with the same names, weights and connections."""
        from nb3d.models.clone import copied

        duplicate = copied(self, lambda layer: copy.deepcopy(layer, memo))
        memo[id(self)] = duplicate
        return duplicate

    def __reduce__(self) -> Any:
        raise TypeError(f"Model {self.name!r} cannot be pickled: save it with model.save(path) and load it there.")

    @property
    def input_shape(self) -> Any:
        """Shape of the input; a list of shapes for several."""
        shapes = [tensor.shape for tensor in leaves(self.inputs)]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Any:
        """Shape of the output; a list of shapes for several."""
        shapes = [tensor.shape for tensor in leaves(self.outputs)]
        return shapes[0] if len(shapes) == 1 else shapes
