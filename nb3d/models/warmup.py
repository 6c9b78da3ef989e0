"""`warmup`: kernels compiled ahead of the first prediction, as when an image of a container is built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nb3d import layers
from nb3d.engine.contexts import Graph
from nb3d.kernels import compiling
from nb3d.models.model import Model
from nb3d.plan.function import Plan

Block = Callable[[Any, int], Any]

_SIDES = (32, 64, 96, 128)  # of the volumes that the usual networks get


def warmup(
    model: Model | None = None, *shapes: Any, device: str = "auto", architecture: str | Sequence[str] = ()
) -> compiling.Count:
    """Compiles kernels into the folder where this process and later ones find them; runs nothing.

    Kernels depend on the shapes and, those of a GPU, on the precision that holds (`nb3d.config.set_precision`).

    Args:
        model: The model whose predictions are to start at once. Without one, the kernels of usual networks: U-Nets of
            16 and 32 filters and a classifier, on cubes of 32 to 128 voxels.
        *shapes: One shape per input, as for `Model.plan`.
        device: ``'auto'``, ``'cpu'`` or ``'cuda'``.
        architecture: With ``'cuda'``, those of the cards that will run the kernels, one or several, as nvcc names them
            (``'sm_86'``), or their compute capabilities (``'8.6'``). Then neither a GPU nor a driver is needed, only
            the compilers that ``pip install "nb3d[cuda]"`` brings. Without one, that of the GPU of this machine.

    Returns:
        How many kernels were compiled (`compiled`) and found on disk (`found`), and the `seconds` that compiling took.
        Kernels of the CPU that the process has already loaded are not counted again.

    Raises:
        ValueError: If the number of shapes, or one of them, does not fit the model, or there is no such architecture.
        TypeError: If there are shapes but no model.
        RuntimeError: If there is no GPU and no architecture is named, or if the compilers are missing.

    Example:
        >>> import nb3d
        >>> x = nb3d.Input((None, None, None, 1))
        >>> model = nb3d.Model(x, nb3d.layers.Conv3D(2, 1)(x))
        >>> print(nb3d.warmup(model, (8, 8, 8, 1)).seconds < 3600)
        True
        >>> nb3d.warmup(model, (8, 8, 8, 1)).compiled
        0
        >>> nb3d.warmup(model, (8, 8, 8, 1), device="cuda", architecture=["sm_80", "sm_90a"])  # doctest: +SKIP
    """
    architectures = [architecture] if isinstance(architecture, str) else [*architecture]
    if architectures and device != "cuda":
        raise ValueError(f"warmup: an architecture is that of a GPU: expected device='cuda' with it, got {device!r}.")
    if model is None and shapes:
        raise TypeError(f"warmup: got {len(shapes)} shapes, but no model that they are for.")
    from nb3d.plan.ahead import compile_plans  # a graph is built without a plan

    before = compiling.count()
    compile_plans((plan.schedule for plan in _plans(model, shapes, device)), architectures)
    return compiling.count().since(before)


def _plans(model: Model | None, shapes: tuple[Any, ...], device: str) -> Iterator[Plan]:
    if model is not None:
        yield model.plan(*shapes, device=device)
        return
    for network in _usual():
        for side in _SIDES:
            yield network.plan((side, side, side, 1), device=device)


def _usual() -> Iterator[Model]:
    """What people run: weights do not matter, so they are zeros, and no random number is drawn."""
    with Graph().as_default():
        x = layers.Input((None, None, None, 1))
        yield Model(x, _convolution(_unet(x, 16, _plain, _transposed), 1, 1, "sigmoid"))
        yield Model(x, _convolution(_unet(x, 32, _residual, _repeated), 3, 1, "softmax"))
        yield Model(x, _classes(x))


def _unet(x: Any, base: int, block: Block, up: Block, levels: int = 4) -> Any:
    skips = []
    for level in range(levels - 1):
        skips.append(block(x, base << level))
        x = layers.MaxPooling3D(2)(skips[-1])
    x = block(x, base << (levels - 1))
    for level in reversed(range(levels - 1)):
        x = layers.Concatenate()([up(x, base << level), skips[level]])
        x = block(x, base << level)
    return x


def _plain(x: Any, filters: int) -> Any:
    for _ in range(2):
        x = layers.Activation("relu")(layers.BatchNormalization()(_convolution(x, filters)))
    return x


def _residual(x: Any, filters: int) -> Any:
    first = _convolution(x, filters)
    y = _convolution(layers.LeakyReLU(0.01)(first), filters)
    return layers.LeakyReLU(0.01)(layers.Add()([y, first]))


def _transposed(x: Any, filters: int) -> Any:
    return layers.Conv3DTranspose(filters, 2, strides=2, kernel_initializer="zeros")(x)


def _repeated(x: Any, filters: int) -> Any:
    return layers.UpSampling3D(2)(x)


def _classes(x: Any) -> Any:
    for filters in (16, 32, 64):
        x = layers.BatchNormalization()(layers.MaxPooling3D(2)(_convolution(x, filters, activation="relu")))
    x = layers.Dense(64, activation="relu", kernel_initializer="zeros")(layers.GlobalAveragePooling3D()(x))
    return layers.Dense(2, activation="softmax", kernel_initializer="zeros")(x)


def _convolution(x: Any, filters: int, size: int = 3, activation: str | None = None) -> Any:
    return layers.Conv3D(filters, size, padding="same", activation=activation, kernel_initializer="zeros")(x)
