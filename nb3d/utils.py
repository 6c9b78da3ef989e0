"""Small helpers, under the names of ``keras.utils``."""

from nb3d.engine.contexts import clear_session
from nb3d.engine.registry import custom_object_scope, register_keras_serializable
from nb3d.ops.random import set_random_seed

__all__ = ["clear_session", "custom_object_scope", "register_keras_serializable", "set_random_seed"]
