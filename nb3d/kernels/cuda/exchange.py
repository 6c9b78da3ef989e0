"""Arrays shared with other libraries on the GPU: ``__cuda_array_interface__`` (version 3) and DLPack, no copies.

What runs where is settled by streams: nb3d's stream waits for what a producer has still to do, and a consumer's stream
waits for nb3d's. The host waits for nobody.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.dlpack import CUDA, CUDA_HOST, MANAGED, make_capsule, read_capsule
from nb3d.kernels.cuda.runtime import Runtime
from nb3d.kernels.cuda.seam import Driver
from nb3d.kernels.cuda.strides import contiguous

LEGACY = 1  # the handle of the default stream


def is_on_gpu(value: Any) -> bool:
    """Whether an object is an array in the memory of a GPU."""
    if isinstance(value, np.ndarray):
        return False
    if hasattr(value, "__cuda_array_interface__"):
        return True
    return hasattr(value, "__dlpack_device__") and value.__dlpack_device__()[0] in (CUDA, MANAGED)


def stream_handle(stream: Any) -> int:
    """Returns the handle of a stream of any library.

    Args:
        stream: Its handle, or an object with ``__cuda_stream__`` (cuda.core), ``cuda_stream`` (PyTorch) or ``ptr``
            (CuPy).

    Raises:
        TypeError: If it is none of these.
    """
    if hasattr(stream, "__cuda_stream__"):
        found = stream.__cuda_stream__
        return int((found() if callable(found) else found)[1])
    for name in ("cuda_stream", "ptr", "handle"):
        if hasattr(stream, name):
            stream = getattr(stream, name)
            break
    value = getattr(stream, "value", stream)
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"Expected a CUDA stream or its handle, got {type(stream).__name__}.")
    return int(value)


def borrow(value: Any, runtime: Runtime) -> Array:
    """Returns an array of another library as it stands; the driver's stream waits for what still writes it.

    Raises:
        TypeError: If it does not hold numbers.
        ValueError: If it is on another GPU, or not contiguous.
    """
    driver = runtime.driver
    if isinstance(value, DeviceArray) and value.runtime is runtime:
        return value.array
    through_dlpack = hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__")
    array, strides = _from_dlpack(value, driver) if through_dlpack else _from_interface(value, driver)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"Expected numbers, got an array of dtype {array.dtype}.")
    if array.size:
        home = driver.home_of(array.address)
        if home != driver.number:
            where = "nowhere on a GPU" if home is None else f"on GPU {home}"
            raise ValueError(f"nb3d runs on GPU {driver.number}, and the array lies {where}: copy it there first.")
    usual = contiguous(array.shape)
    if strides is not None and array.size:
        wrong = [a for a, (got, want, n) in enumerate(zip(strides, usual, array.shape, strict=True))
                 if n > 1 and got != want]  # fmt: skip
        if wrong:
            raise ValueError(
                f"Expected a C-contiguous array, got strides {strides} for shape {array.shape}, in values: make it "
                "contiguous, or give the channels-last view of a channels_last_3d tensor, permute(0, 2, 3, 4, 1)."
            )
    return array


def _from_dlpack(value: Any, driver: Driver) -> tuple[Array, tuple[int, ...] | None]:
    kind, number = value.__dlpack_device__()
    if kind in (CUDA, MANAGED) and number != driver.number:
        raise ValueError(f"nb3d runs on GPU {driver.number}, and the array lies on GPU {number}: copy it there first.")
    if kind == CUDA_HOST:
        raise ValueError("The array lies in pinned memory of the host: give it as a NumPy array.")
    return read_capsule(value.__dlpack__(stream=driver.stream))


def _from_interface(value: Any, driver: Driver) -> tuple[Array, tuple[int, ...] | None]:
    described = value.__cuda_array_interface__
    if described.get("mask") is not None:
        raise ValueError("Expected an array without a mask.")
    stream = described.get("stream")
    if stream is not None:
        if int(stream) == 0:
            raise ValueError("The array names stream 0, which its interface forbids: 1 is the default stream.")
        driver.wait_for(int(stream))
    dtype, shape = np.dtype(described["typestr"]), tuple(int(size) for size in described["shape"])
    strides = described.get("strides")
    in_values = None if strides is None else tuple(int(step) // dtype.itemsize for step in strides)
    return Array(int(described["data"][0]), shape, dtype, value), in_values


class DeviceArray:
    """A result that stayed on the GPU; CuPy, PyTorch, JAX and Numba take it without a copy.

    ``torch.from_dlpack(result)``, ``cupy.asarray(result)``, ``numba.cuda.as_cuda_array(result)``;
    ``numpy.asarray(result)`` copies it to the host.

    Attributes:
        array: Where it lies.
        runtime: The GPU.
    """

    def __init__(self, array: Array, runtime: Runtime) -> None:
        self.array, self.runtime = array, runtime

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        """Its dtype."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """Its number of axes."""
        return len(self.array.shape)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape, "typestr": self.dtype.str, "data": (self.array.address, False), "version": 3,
            "strides": None, "stream": self.runtime.driver.stream,
        }  # fmt: skip

    def __dlpack_device__(self) -> tuple[int, int]:
        return CUDA, self.runtime.driver.number

    def __dlpack__(self, *, stream: Any = None, dl_device: Any = None, copy: Any = None, **options: Any) -> Any:
        """A capsule; ``stream`` is the consumer's: it waits for the result (-1: it takes care itself)."""
        if copy or (dl_device is not None and tuple(dl_device) != self.__dlpack_device__()):
            raise BufferError("A result that stayed on the GPU is handed over as it stands: no copy, no other device.")
        if stream != -1:
            with self.runtime.turn:
                self.runtime.driver.let_wait(LEGACY if stream is None else int(stream))
        return make_capsule(self.array, self.runtime.driver.number)

    def numpy(self) -> np.ndarray:
        """Returns a copy on the host."""
        with self.runtime.turn:
            return self.runtime.download(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("The array lies on a GPU: NumPy can only have a copy.")
        return self.numpy().astype(dtype) if dtype is not None else self.numpy()

    def __repr__(self) -> str:
        return f"DeviceArray(shape={self.shape}, dtype={self.dtype}, GPU {self.runtime.driver.number})"
