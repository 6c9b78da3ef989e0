"""Global settings, under the names of ``keras.config``."""

from dataclasses import replace

from nb3d.engine.settings import SETTINGS
from nb3d.kernels.policy import choose, current

floatx = SETTINGS.floatx
set_floatx = SETTINGS.set_floatx
epsilon = SETTINGS.epsilon
set_epsilon = SETTINGS.set_epsilon
image_data_format = SETTINGS.image_data_format
set_image_data_format = SETTINGS.set_image_data_format



def algorithm() -> str:
    """Which algorithms convolutions may use: ``'auto'`` or ``'strict'``."""
    return current().algorithm


def max_error() -> float:
    """The largest error to expect of a fast algorithm on ordinary data, relative to the largest output."""
    return current().max_error


def set_algorithm(algorithm: str = "auto", max_error: float | None = None) -> None:
    """Chooses between speed and the plain definition, for all predictions from now on.

    Args:
        algorithm: ``'auto'`` takes the kernel that is estimated fastest among those that keep to `max_error`;
            ``'strict'`` computes convolutions as they are defined, product by product, never by Winograd's algorithm.
        max_error: The largest error to expect on ordinary data (zero mean, unit variance), relative to the largest
            output; unchanged where absent.

    Raises:
        ValueError: If the algorithm is unknown, or the error negative.

    Example:
        >>> import nb3d
        >>> nb3d.config.set_algorithm("strict")
        >>> nb3d.config.algorithm()
        'strict'
        >>> nb3d.config.set_algorithm("auto")
    """
    choose(replace(current(), algorithm=algorithm, max_error=current().max_error if max_error is None else max_error))


def precision() -> str:
    """How exactly GPUs multiply in convolutions: see `set_precision`."""
    return current().precision


def set_precision(precision: str = "float32") -> None:
    """Chooses how exactly GPUs multiply in convolutions, for all predictions from now on; sums are always float32.

    The CPU always computes in the dtype of its arrays. Kernels that have no such choice compute in float32.

    Args:
        precision: ``'float32'`` multiplies in float32. ``'fast_float32'`` may use tensor cores in a way that is as
            accurate. ``'tf32'`` rounds what is multiplied to 10 bits of mantissa, ``'bfloat16'`` to 7.

    Raises:
        ValueError: If the precision is unknown.

    Example:
        >>> import nb3d
        >>> nb3d.config.set_precision("tf32")
        >>> nb3d.config.precision()
        'tf32'
        >>> nb3d.config.set_precision("float32")
    """
    choose(replace(current(), precision=precision))


__all__ = [
    "algorithm",
    "epsilon",
    "floatx",
    "image_data_format",
    "max_error",
    "precision",
    "set_algorithm",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_precision",
]
