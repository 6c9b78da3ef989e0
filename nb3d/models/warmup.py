"""`warmup`: kernels compiled ahead of the first prediction, as when an image of a container is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nb3d import layers
from nb3d.engine.contexts import Graph
from nb3d.kernels import compiling
from nb3d.models.model import Model

_SIDES = (32, 64, 96, 128)  # of the volumes that the usual networks get


def warmup(model: Model | None = None, *shapes: Any, device: str = "auto") -> compiling.Count:
    """Compiles kernels into the folder where this process and later ones find them.

    Args:
        model: The model whose predictions are to start at once. Without one, the kernels of usual networks: U-Nets of
            16 and 32 filters and a classifier, on cubes of 32 to 128 voxels.
        *shapes: One shape per input, as for `Model.plan`: kernels depend on them.
        device: ``'auto'``, ``'cpu'`` or ``'cuda'``.

    Returns:
        How many kernels were compiled (`compiled`) and found on disk (`found`), and the `seconds` that compiling took.
        Kernels that the process has already loaded are not counted again.

    Raises:
        ValueError: If the number of shapes, or one of them, does not fit the model.
        TypeError: If there are shapes but no model.

    Example:
        >>> import nb3d
        >>> x = nb3d.Input((None, None, None, 1))
        >>> model = nb3d.Model(x, nb3d.layers.Conv3D(2, 1)(x))
        >>> print(nb3d.warmup(model, (8, 8, 8, 1)).seconds < 3600)
        True
        >>> nb3d.warmup(model, (8, 8, 8, 1)).compiled
        0
    """
    before = compiling.count()
    if model is not None:
        model.plan(*shapes, device=device).compile()
    elif shapes:
        raise TypeError(f"warmup: got {len(shapes)} shapes, but no model that they are for.")
    else:
        for network in _usual():
            for side in _SIDES:
                network.plan((side, side, side, 1), device=device).compile()
    return compiling.count().since(before)


def _usual() -> Iterator[Model]:
    """What people run: weights do not matter, so they are zeros, and no random number is drawn."""
    with Graph().as_default():
        x = layers.Input((None, None, None, 1))
        yield Model(x, layers.Conv3D(1, 1, activation="sigmoid", kernel_initializer="zeros")(_unet(x, 16, _plain)))
        yield Model(x, layers.Conv3D(3, 1, activation="softmax", kernel_initializer="zeros")(_unet(x, 32, _residual)))
        yield Model(x, _classes(x))


def _unet(x: Any, base: int, block: Any, levels: int = 4) -> Any:
    skips = []
    for level in range(levels - 1):
        skips.append(block(x, base << level))
        x = layers.MaxPooling3D(2)(skips[-1])
    x = block(x, base << levels - 1)
    for level in reversed(range(levels - 1)):
        if block is _plain:
            x = layers.Conv3DTranspose(base << level, 2, strides=2, kernel_initializer="zeros")(x)
        else:
            x = layers.UpSampling3D(2)(x)
        x = block(layers.Concatenate()([x, skips[level]]), base << level)
    return x


def _plain(x: Any, filters: int) -> Any:
    for _ in range(2):
        x = layers.Conv3D(filters, 3, padding="same", kernel_initializer="zeros")(x)
        x = layers.Activation("relu")(layers.BatchNormalization()(x))
    return x


def _residual(x: Any, filters: int) -> Any:
    first = layers.Conv3D(filters, 3, padding="same", kernel_initializer="zeros")(x)
    y = layers.LeakyReLU(0.01)(first)
    y = layers.Conv3D(filters, 3, padding="same", kernel_initializer="zeros")(y)
    return layers.LeakyReLU(0.01)(layers.Add()([y, first]))


def _classes(x: Any) -> Any:
    for filters in (16, 32, 64):
        x = layers.Conv3D(filters, 3, padding="same", activation="relu", kernel_initializer="zeros")(x)
        x = layers.BatchNormalization()(layers.MaxPooling3D(2)(x))
    x = layers.Dense(64, activation="relu", kernel_initializer="zeros")(layers.GlobalAveragePooling3D()(x))
    return layers.Dense(2, activation="softmax", kernel_initializer="zeros")(x)
