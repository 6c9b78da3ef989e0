"""Global settings, under the names of ``keras.config``."""

from nb3d.engine.settings import SETTINGS

floatx = SETTINGS.floatx
set_floatx = SETTINGS.set_floatx
epsilon = SETTINGS.epsilon
set_epsilon = SETTINGS.set_epsilon
image_data_format = SETTINGS.image_data_format
set_image_data_format = SETTINGS.set_image_data_format

__all__ = ["epsilon", "floatx", "image_data_format", "set_epsilon", "set_floatx", "set_image_data_format"]
