"""Configurations as the versions of Keras write them, in the words of nb3d."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from nb3d.engine.layer import BaseLayer
from nb3d.engine.shapes import FIRST_LAYER_KEYWORDS

# Arguments of Keras that nb3d's layers do not have, with the values that change nothing; None in place of a tuple: any.
_NEUTRAL: dict[str, tuple[Any, ...] | None] = {
    "adjustment": (None,),
    "autocast": (True, None),
    "build_config": None,
    "fused": None,
    "groups": (1,),
    "implementation": None,
    "kernel_constraint": (None,),  # Keras 2 writes these three for separable convolutions, whose kernels have others
    "kernel_initializer": None,
    "key_shape": None,
    "kernel_regularizer": (None,),
    "lora_alpha": (None,),
    "lora_rank": (None,),
    "noise_shape": (None,),
    "optional": (False,),
    "quantization_config": (None,),
    "quantization_mode": (None,),
    "query_shape": None,  # Keras 2 writes for what shapes attention was built; so it is when it is called
    "ragged": (False, None),
    "shared_object_id": None,
    "softmax_robust_masking": (False,),
    "value_shape": None,
    "virtual_batch_size": (None,),
}
# What a class of another name leaves open, and the layer that stands for it here has to be told.
IMPLIED: dict[str, dict[str, Any]] = {"Addons>InstanceNormalization": {"groups": -1}}
_POLICIES = ("DTypePolicy", "FloatDTypePolicy", "Policy")
_MIXED = ("mixed_bfloat16", "mixed_float16")


def translate(cls: type[BaseLayer], values: dict[str, Any]) -> dict[str, Any]:
    """The arguments of one of nb3d's layers.

    Args:
        cls: The class.
        values: Its configuration, of any version of Keras.

    Raises:
        ValueError: If an argument is unknown and not known to change nothing.
    """
    accepted = _parameters(cls)  # type: ignore[arg-type]  # classes are hashable
    result = {}
    for key, value in plain_dtype(values).items():
        if value is None and key.endswith("_initializer"):
            continue  # Keras 3 takes it for the default one
        if key in accepted:
            result[key] = value
        elif key not in _NEUTRAL or (_NEUTRAL[key] is not None and value not in (_NEUTRAL[key] or ())):
            raise ValueError(f"unknown argument {key!r} = {value!r}; {cls.__name__} takes {sorted(accepted)}.")
    return result


def plain_dtype(values: dict[str, Any]) -> dict[str, Any]:
    """`values` with the name of a dtype in place of the policy that Keras writes.

    A mixed policy keeps weights in float32 and rounds what it computes to half of that; nb3d computes in float32.

    Raises:
        ValueError: If the policy is of another kind.
    """
    policy = values.get("dtype")
    name = policy.get("config", {}).get("name") if isinstance(policy, dict) else policy
    if isinstance(policy, dict) and (policy.get("class_name") not in _POLICIES or not isinstance(name, str)):
        raise ValueError(f"the dtype policy {policy!r} is not supported: expected one dtype, such as 'float32'.")
    return {**values, "dtype": "float32"} if name in _MIXED else {**values, "dtype": name} if policy else values


@functools.cache
def _parameters(cls: type[BaseLayer]) -> frozenset[str]:
    """Every argument that the constructor of a class takes, those that it passes on among them."""
    names = set(FIRST_LAYER_KEYWORDS)
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
        names.update(item.name for item in parameters if item.kind in (item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY))
        if not any(item.kind is item.VAR_KEYWORD for item in parameters):
            break
    return frozenset(names - {"self"})
