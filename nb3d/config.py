"""Global settings, under the names of ``keras.config``."""

from nb3d.engine.settings import SETTINGS
from nb3d.kernels.policy import Policy, choose, current

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
    choose(Policy(algorithm, current().max_error if max_error is None else max_error))


__all__ = [
    "algorithm",
    "epsilon",
    "floatx",
    "image_data_format",
    "max_error",
    "set_algorithm",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
