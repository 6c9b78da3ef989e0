"""DLPack: arrays handed from library to library in a capsule, without a copy. The layout is that of its version 0.8."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from nb3d.kernels.cuda.arrays import Array

CUDA, CUDA_HOST, MANAGED = 2, 3, 13  # kinds of devices
_KINDS = {"i": 0, "u": 1, "f": 2, "b": 6}
_NAME, _USED = b"dltensor", b"used_dltensor"


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p), ("device", ctypes.c_int32), ("number", ctypes.c_int32), ("ndim", ctypes.c_int32),
        ("kind", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("offset", ctypes.c_uint64),
    )  # fmt: skip


class _Managed(ctypes.Structure):
    pass


_Deleter = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Managed))
_Managed._fields_ = (("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", _Deleter))

_Destructor = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_python = ctypes.pythonapi
_new, _pointer, _valid, _rename = (
    _python[f"PyCapsule_{name}"] for name in ("New", "GetPointer", "IsValid", "SetName")
)
_new.restype, _new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, _Destructor)
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
_valid.restype, _valid.argtypes = ctypes.c_int, (ctypes.py_object, ctypes.c_char_p)
_rename.restype, _rename.argtypes = ctypes.c_int, (ctypes.py_object, ctypes.c_char_p)
# In a destructor the capsule is about to die: it must not become an object again, so it stays an address.
_dying_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_GetPointer", _python))
_dying_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_IsValid", _python))

_alive: dict[int, tuple[Any, ...]] = {}  # address of what was handed out -> what must live as long


class _Taken:
    """What another library handed over: it is told when nobody needs it any more."""

    def __init__(self, capsule: Any) -> None:
        if not _valid(capsule, _NAME):
            raise TypeError("Expected a fresh DLPack capsule, got one that was used, or none at all.")
        self.managed = ctypes.cast(_pointer(capsule, _NAME), ctypes.POINTER(_Managed))
        _rename(capsule, _USED)

    def __del__(self) -> None:
        if getattr(self, "managed", None) is not None and self.managed.contents.deleter:
            self.managed.contents.deleter(self.managed)


def read_capsule(capsule: Any) -> tuple[Array, tuple[int, ...] | None]:
    """Returns the array in a capsule and its strides in values, ``None`` where it is contiguous.

    Raises:
        TypeError: If there is none, or it holds what NumPy has no dtype for.
    """
    taken = _Taken(capsule)
    tensor = taken.managed.contents.tensor
    kind = next((letter for letter, number in _KINDS.items() if number == tensor.kind), None)
    if kind is None or tensor.lanes != 1:
        raise TypeError(f"Expected numbers, got an array of DLPack's kind {tensor.kind} with {tensor.lanes} lanes.")
    shape = tuple(tensor.shape[axis] for axis in range(tensor.ndim))
    strides = tuple(tensor.strides[axis] for axis in range(tensor.ndim)) if tensor.strides else None
    dtype = np.dtype("bool") if kind == "b" else np.dtype(f"{kind}{tensor.bits // 8}")
    return Array((tensor.data or 0) + tensor.offset, shape, dtype, taken), strides


@_Deleter
def _delete(managed: Any) -> None:
    _alive.pop(ctypes.addressof(managed.contents), None)


@_Destructor
def _destroy(capsule: int) -> None:
    if _dying_valid(capsule, _NAME):  # nobody took it
        _alive.pop(_dying_pointer(capsule, _NAME), None)


def make_capsule(array: Array, number: int) -> Any:
    """Returns a capsule with an array of GPU ``number``, which keeps its memory alive."""
    sizes = (ctypes.c_int64 * len(array.shape))(*array.shape)
    managed = _Managed()
    managed.tensor = _Tensor(
        array.address, CUDA, number, len(array.shape), _KINDS[array.dtype.kind], 8 * array.dtype.itemsize, 1, sizes,
        None, 0,
    )  # fmt: skip
    managed.deleter = _delete
    address = ctypes.addressof(managed)
    _alive[address] = managed, sizes, array.owner
    return _new(address, _NAME, _destroy)
