"""Model files: read under a strict contract, written atomically."""

from nb3d.engine.registry import custom_object_scope, register_keras_serializable

__all__ = ["custom_object_scope", "register_keras_serializable"]
