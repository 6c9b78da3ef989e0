"""The NVIDIA driver: the only module that imports its bindings. See ``seam.py`` for the contract.

Nothing here has run on a GPU yet: every call sequence is that of the driver's manual, and `make test-gpu` is what will
confirm it.
"""

from __future__ import annotations

import ctypes
import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any

import numpy as np

from nb3d.kernels.cuda.assembler import architecture_of, assemble

_CELLS: dict[str, Any] = {
    "uint64": ctypes.c_uint64, "int64": ctypes.c_int64, "int32": ctypes.c_int32, "uint32": ctypes.c_uint32,
    "uint8": ctypes.c_uint8, "float32": ctypes.c_float, "float64": ctypes.c_double,
}  # fmt: skip


def _bindings() -> Any:
    from cuda.bindings import driver

    return driver


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Memory that the garbage collector gave back during a capture would spoil it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Nvidia:
    """The first GPU, through its primary context, a stream of its own, and one for copies beside it.

    Args:
        api: The driver's functions; those of ``cuda.bindings.driver`` where absent.
    """

    number = 0

    def __init__(self, api: Any = None) -> None:
        driver = _bindings() if api is None else api
        self._api = driver
        self._check(driver.cuInit(0))
        self._device = self._check(driver.cuDeviceGet(self.number))
        self._context = self._check(driver.cuDevicePrimaryCtxRetain(self._device))
        attribute = driver.CUdevice_attribute
        self._architecture = architecture_of(*(
            self._check(driver.cuDeviceGetAttribute(which, self._device))
            for which in (
                attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
                attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
            )
        ))  # fmt: skip
        alone = driver.CUstream_flags.CU_STREAM_NON_BLOCKING.value
        with self._entered():
            self._stream, self._copies = (self._check(driver.cuStreamCreate(alone)) for _ in range(2))

    @property
    def architecture(self) -> str:
        """Such as ``sm_90a``."""
        return self._architecture

    @property
    def stream(self) -> int:
        """See the seam."""
        return int(self._stream)

    def enter(self) -> None:
        """See the seam: the context goes on top of the thread's, whichever another library has chosen there."""
        self._check(self._api.cuCtxPushCurrent(self._context))

    def leave(self) -> None:
        """See the seam; a GPU that was lost has said so before."""
        self._api.cuCtxPopCurrent()

    @contextmanager
    def _entered(self) -> Iterator[None]:
        """For what happens outside of a turn."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def _check(self, result: tuple[Any, ...]) -> Any:
        """Returns what a call returned besides its status.

        Raises:
            RuntimeError: If the status is an error.
        """
        status, *values = result
        if status != self._api.CUresult.CUDA_SUCCESS:
            raise RuntimeError(
                f"The NVIDIA driver reports {status.name}. If the GPU was lost or a kernel failed, this process can no "
                "longer use it: go on with device='cpu', or start anew."
            )
        return values[0] if len(values) == 1 else values

    def allocate(self, size: int) -> int:
        """See the seam."""
        status, address = self._api.cuMemAlloc(size)
        if status == self._api.CUresult.CUDA_ERROR_OUT_OF_MEMORY:
            free, total = self._check(self._api.cuMemGetInfo())
            raise MemoryError(
                f"The GPU has {free / 2**30:.2f} GiB free of {total / 2**30:.2f} GiB, and {size / 2**30:.2f} GiB more "
                "are needed: choose a smaller batch_size, or device='cpu'."
            )
        return int(self._check((status, address)))

    def free(self, address: int) -> None:
        """See the seam."""
        self._destroy(self._api.cuMemFree, address)

    def _destroy(self, destroy: Callable[[Any], Any], what: Any) -> None:
        """On whatever thread the garbage collector runs; a driver that is gone has destroyed everything."""
        with suppress(RuntimeError), self._entered():
            destroy(what)

    def _destroyed_with(self, owner: Any, destroy: Callable[[Any], Any], what: Any) -> None:
        """Destroys something of the driver when nobody refers to its owner any more."""
        weakref.finalize(owner, self._destroy, destroy, what).atexit = False

    def write(self, address: int, array: np.ndarray) -> None:
        """See the seam; the driver stages pageable memory before it returns."""
        self._check(self._api.cuMemcpyHtoDAsync(address, array.ctypes.data, array.nbytes, self._stream))

    def read(self, address: int, out: np.ndarray) -> None:
        """See the seam."""
        self._check(self._api.cuMemcpyDtoHAsync(out.ctypes.data, address, out.nbytes, self._stream))
        self.finish()

    def copy(self, address: int, source: int, size: int) -> None:
        """See the seam."""
        self._check(self._api.cuMemcpyDtoDAsync(address, source, size, self._stream))

    def finish(self) -> None:
        """See the seam."""
        self._check(self._api.cuStreamSynchronize(self._stream))

    def pinned(self, size: int) -> np.ndarray:
        """See the seam."""
        status, address = self._api.cuMemHostAlloc(size, 0)
        if status == self._api.CUresult.CUDA_ERROR_OUT_OF_MEMORY:
            raise MemoryError(f"The host has no {size / 2**30:.2f} GiB of memory for copies to and from the GPU.")
        where = int(self._check((status, address)))
        memory = (ctypes.c_uint8 * size).from_address(where)
        self._destroyed_with(memory, self._api.cuMemFreeHost, where)
        return np.ctypeslib.as_array(memory)

    def send(self, address: int, array: np.ndarray) -> None:
        """See the seam."""
        self._check(self._api.cuMemcpyHtoDAsync(address, array.ctypes.data, array.nbytes, self._copies))
        self._follow(self._stream, self._copies)

    def fetch(self, address: int, out: np.ndarray) -> Callable[[], None]:
        """See the seam."""
        self._check(self._api.cuMemcpyDtoHAsync(out.ctypes.data, address, out.nbytes, self._stream))
        event = self._mark(self._stream)

        def wait(_keep: np.ndarray = out) -> None:
            with self._entered():
                self._check(self._api.cuEventSynchronize(event))

        self._destroyed_with(wait, self._api.cuEventDestroy, event)  # whether somebody waits or not
        return wait

    def wait_for(self, stream: int) -> None:
        """See the seam."""
        self._follow(self._stream, self._api.CUstream(stream))

    def let_wait(self, stream: int) -> None:
        """See the seam."""
        self._follow(self._api.CUstream(stream), self._stream)

    def _mark(self, stream: Any) -> Any:
        """Returns an event that is reached when all that a stream has been given is done."""
        untimed = self._api.CUevent_flags.CU_EVENT_DISABLE_TIMING.value
        event = self._check(self._api.cuEventCreate(untimed))
        self._check(self._api.cuEventRecord(event, stream))
        return event

    def _follow(self, later: Any, earlier: Any) -> None:
        event = self._mark(earlier)
        self._check(self._api.cuStreamWaitEvent(later, event, 0))
        self._check(self._api.cuEventDestroy(event))  # the driver keeps it until it is over

    def home_of(self, address: int) -> int | None:
        """See the seam."""
        which = self._api.CUpointer_attribute.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL
        status, number = self._api.cuPointerGetAttribute(which, address)
        return int(number) if status == self._api.CUresult.CUDA_SUCCESS else None

    def assemble(self, ptx: str) -> bytes:
        """See the seam."""
        return assemble(ptx, self._architecture)[0]

    def load(self, code: bytes, entry: str, shared: int) -> Any:
        """See the seam."""
        api = self._api
        module = self._check(api.cuModuleLoadData(code))
        kernel = self._check(api.cuModuleGetFunction(module, entry.encode()))
        if shared > 48 * 1024:  # above that a kernel must say so
            which = api.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
            self._check(api.cuFuncSetAttribute(kernel, which, shared))
        return kernel

    def bind(self, kernel: Any, grid: tuple[int, int, int], threads: int, shared: int,
             parameters: list[tuple[str, Any]]) -> Callable[[], None]:  # fmt: skip
        """See the seam."""
        cells = [_CELLS[kind](value) for kind, value in parameters]
        pointers = (ctypes.c_void_p * len(cells))(*(ctypes.addressof(cell) for cell in cells))
        where, call, stream, check = ctypes.addressof(pointers), self._api.cuLaunchKernel, self._stream, self._check

        def run(_keep: Any = (cells, pointers)) -> None:
            check(call(kernel, *grid, threads, 1, 1, shared, stream, where, 0))

        return run

    def elapsed(self, run: Callable[[], None], repeats: int) -> list[float]:
        """Returns the seconds that each of some runs took on the GPU, by events around it."""
        api = self._api
        events: list[Any] = []
        try:
            for number in range(repeats + 1):
                if number:
                    run()
                events.append(self._check(api.cuEventCreate(0)))
                self._check(api.cuEventRecord(events[-1], self._stream))
            self._check(api.cuStreamSynchronize(self._stream))
            return [self._check(api.cuEventElapsedTime(*pair)) / 1e3 for pair in pairwise(events)]
        finally:
            for event in events:
                self._destroy(api.cuEventDestroy, event)

    def capture(self, run: Callable[[], None]) -> Callable[[], None] | None:
        """See the seam: a CUDA graph."""
        api = self._api
        mode = api.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        if api.cuStreamBeginCapture(self._stream, mode)[0] != api.CUresult.CUDA_SUCCESS:
            return None
        try:
            with _nothing_collected():
                run()
        except BaseException:
            self._destroy(api.cuGraphDestroy, api.cuStreamEndCapture(self._stream)[1])
            raise
        status, graph = api.cuStreamEndCapture(self._stream)
        if status != api.CUresult.CUDA_SUCCESS:
            return None
        status, executable = api.cuGraphInstantiate(graph, 0)
        self._check(api.cuGraphDestroy(graph))
        if status != api.CUresult.CUDA_SUCCESS:
            return None

        def replay(_keep: Any = run) -> None:
            self._check(api.cuGraphLaunch(executable, self._stream))

        self._destroyed_with(replay, api.cuGraphExecDestroy, executable)
        return replay
