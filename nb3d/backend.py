"""Global settings, under the names of ``keras.backend``; computations are in `nb3d.ops`."""

from nb3d.config import epsilon, floatx, image_data_format, set_epsilon, set_floatx, set_image_data_format
from nb3d.engine.contexts import clear_session
from nb3d.engine.tensor import is_keras_tensor

__all__ = [
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_keras_tensor",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
