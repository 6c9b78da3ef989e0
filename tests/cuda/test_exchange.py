"""Arrays of other libraries go in without a copy, results come out for them; the GPU is the interpreter."""

from __future__ import annotations

import ctypes
import gc
from types import SimpleNamespace

import numpy as np
import pytest

import nb3d
from nb3d.kernels import devices
from nb3d.kernels.cuda import dlpack
from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.exchange import stream_handle
from tests.cuda.gpu import pretend
from tests.cuda.wheels import needed


class Interface:
    """An array of a library that speaks ``__cuda_array_interface__``."""

    def __init__(self, driver, array: np.ndarray, **changes) -> None:
        self.address = driver.allocate(array.nbytes)
        driver.write(self.address, np.ascontiguousarray(array))
        self.shape = array.shape
        self.__cuda_array_interface__ = {
            "shape": array.shape, "typestr": array.dtype.str, "data": (self.address, False), "version": 3, **changes,
        }  # fmt: skip


class Capsules:
    """An array of a library that speaks DLPack."""

    def __init__(self, driver, array: np.ndarray, number: int = 0) -> None:
        self._array = Array(driver.allocate(array.nbytes), array.shape, array.dtype, owner=self)
        driver.write(self._array.address, array)
        self.shape, self._number, self.streams = array.shape, number, []

    def __dlpack_device__(self):
        return dlpack.CUDA, self._number

    def __dlpack__(self, *, stream):
        self.streams.append(stream)
        return dlpack.make_capsule(self._array, self._number)


@pytest.fixture
def gpu(monkeypatch):
    return pretend(monkeypatch)


@pytest.fixture
def model():
    nb3d.utils.set_random_seed(1)
    x = nb3d.Input((4,), name="x")
    return nb3d.Model(x, nb3d.layers.Dense(3)(nb3d.layers.ReLU()(x)))


VALUES = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)


@needed
class TestInputs:
    @pytest.mark.parametrize("kind", [Interface, Capsules])
    def test_an_array_is_read_where_it_lies(self, gpu, model, kind):
        expected, given = model.predict(VALUES), kind(gpu, VALUES)
        model.predict_on_batch(given, device="cuda")
        gpu.write = None  # nothing comes from the host any more
        for _ in range(3):  # without a graph, with one, and once more
            gpu.calls.clear()
            np.testing.assert_allclose(model.predict_on_batch(given, device="cuda"), expected, rtol=1e-5)
            assert not [call for call in gpu.calls if call[0] == "copy"]

    def test_predict_takes_it_in_batches(self, gpu, model):
        values = np.random.default_rng(1).standard_normal((5, 4)).astype(np.float32)
        given = Capsules(gpu, values)
        np.testing.assert_allclose(model.predict(given, batch_size=2, device="cuda"), model.predict(values), rtol=1e-5)

    def test_a_producer_is_waited_for(self, gpu, model):
        model.predict_on_batch(Interface(gpu, VALUES, stream=9), device="cuda")
        assert ("wait_for", 9) in gpu.calls
        given = Capsules(gpu, VALUES)
        model.predict_on_batch(given, device="cuda")
        assert given.streams == [gpu.stream]

    def test_its_memory_is_not_kept(self, gpu, model):
        given = Capsules(gpu, VALUES)
        model.predict_on_batch(given, device="cuda")
        gc.collect()
        assert not dlpack._alive

    @pytest.mark.parametrize(
        ("changes", "error", "words"),
        [
            ({"typestr": "<f8"}, TypeError, "Input 'x': expected float32 on the GPU, got float64: cast it there"),
            ({"typestr": "<c8"}, TypeError, "Input 'x': Expected numbers, got an array of dtype complex64"),
            ({"strides": (4, 8)}, ValueError, r"Input 'x': Expected a C-contiguous array, got strides \(1, 2\)"),
            ({"mask": object()}, ValueError, "Input 'x': Expected an array without a mask"),
            ({"stream": 0}, ValueError, "Input 'x': The array names stream 0"),
            ({"shape": (2, 2)}, ValueError, "expected an array of shape"),
        ],
    )
    def test_what_does_not_fit_is_named(self, gpu, model, changes, error, words):
        given = Interface(gpu, VALUES, **changes)
        with pytest.raises(error, match=words):
            nb3d.function(model.inputs, model.outputs, device="cuda")([given])

    def test_contiguous_strides_are_contiguous(self, gpu, model):
        given = Interface(gpu, VALUES, strides=(16, 4))
        np.testing.assert_allclose(model.predict_on_batch(given, device="cuda"), model.predict(VALUES), rtol=1e-5)

    def test_an_array_between_the_lines_of_memory_is_copied(self, gpu, model):
        given = Interface(gpu, np.concatenate([[np.float32(0)], VALUES.reshape(-1)]).astype(np.float32))
        given.__cuda_array_interface__.update(shape=VALUES.shape, data=(given.address + 4, False))
        given.shape = VALUES.shape
        np.testing.assert_allclose(model.predict_on_batch(given, device="cuda"), model.predict(VALUES), rtol=1e-5)
        assert ("copy", VALUES.nbytes) in gpu.calls

    def test_another_card_is_named(self, gpu, model):
        given = Interface(gpu, VALUES)
        gpu.homes[given.address] = 1
        with pytest.raises(ValueError, match="nb3d runs on GPU 0, and the array lies on GPU 1: copy it there first"):
            model.predict_on_batch(given, device="cuda")
        gpu.homes[given.address] = None
        with pytest.raises(ValueError, match="nowhere on a GPU"):
            model.predict_on_batch(given, device="cuda")
        with pytest.raises(ValueError, match="lies on GPU 3"):
            model.predict_on_batch(Capsules(gpu, VALUES, number=3), device="cuda")

    def test_the_cpu_does_not_take_it(self, gpu, model):
        with pytest.raises(TypeError, match="Input 'x' lies on a GPU, and the device is 'cpu': choose device='cuda'"):
            model.predict(Interface(gpu, VALUES), device="cpu")


@needed
class TestResults:
    def test_they_stay_on_the_gpu(self, gpu, model):
        result = model.predict_on_device(VALUES)
        assert isinstance(result, nb3d.DeviceArray)
        assert (result.shape, result.dtype, result.ndim) == ((2, 3), np.dtype("float32"), 2)
        np.testing.assert_array_equal(np.asarray(result), model.predict(VALUES, device="cuda"))
        assert "GPU 0" in repr(result)
        with pytest.raises(ValueError, match="only have a copy"):
            np.asarray(result, copy=False)

    def test_a_later_run_does_not_change_them(self, gpu, model):
        first = model.predict_on_device(VALUES)
        before = first.numpy()
        model.predict_on_device(2 * VALUES)
        np.testing.assert_array_equal(first.numpy(), before)

    def test_they_are_inputs_again(self, gpu, model):
        hidden = model.predict_on_device(VALUES)
        x = nb3d.Input((3,))
        other = nb3d.Model(x, nb3d.layers.Softmax()(x))
        gpu.calls.clear()
        result = other.predict_on_device(hidden)
        np.testing.assert_allclose(result.numpy(), other.predict(hidden.numpy()), rtol=1e-5)

    def test_the_interface_names_memory_and_stream(self, gpu, model):
        result = model.predict_on_device(VALUES)
        described = result.__cuda_array_interface__
        assert (described["shape"], described["typestr"], described["version"]) == ((2, 3), "<f4", 3)
        assert described["stream"] == gpu.stream
        address, read_only = described["data"]
        assert not read_only
        there = gpu.memory.view(address, 24).view(np.float32).reshape(2, 3)
        np.testing.assert_array_equal(there, result.numpy())

    def test_a_consumer_of_dlpack_waits(self, gpu, model):
        result = model.predict_on_device(VALUES)
        assert result.__dlpack_device__() == (2, 0)
        for stream, waits in ((None, 1), (5, 5)):
            gpu.calls.clear()
            array, strides = dlpack.read_capsule(result.__dlpack__(stream=stream))
            assert gpu.calls == [("let_wait", waits)]
            assert (array.address, array.shape, strides) == (result.array.address, (2, 3), None)
        gpu.calls.clear()
        result.__dlpack__(stream=-1)
        assert gpu.calls == []
        with pytest.raises(BufferError, match="no copy"):
            result.__dlpack__(copy=True)
        with pytest.raises(BufferError, match="no other device"):
            result.__dlpack__(dl_device=(1, 0))

    def test_a_stream_is_followed_and_follows(self, gpu, model):
        model.predict_on_device(VALUES, stream=SimpleNamespace(cuda_stream=4))
        waits = [call for call in gpu.calls if call[0] in ("wait_for", "let_wait", "finish")]
        assert waits == [("wait_for", 4), ("let_wait", 4)]
        gpu.calls.clear()
        model.predict_on_device(VALUES)
        assert gpu.calls[-1] == ("finish",)

    def test_memory_goes_with_the_last_reference(self, gpu, model):
        model.predict_on_device(VALUES)
        gc.collect()
        before = gpu.allocations - gpu.releases
        result = model.predict_on_device(VALUES)
        capsule = result.__dlpack__(stream=-1)
        del result
        gc.collect()
        assert gpu.allocations - gpu.releases == before + 1
        del capsule
        gc.collect()
        assert gpu.allocations - gpu.releases == before

    def test_without_a_gpu_there_is_no_such_result(self, model):
        with pytest.raises(RuntimeError, match="'cuda' is not available"):
            model.predict_on_device(VALUES)


@pytest.mark.parametrize(
    ("stream", "handle"),
    [
        (7, 7), (np.int64(7), 7), (SimpleNamespace(cuda_stream=8), 8), (SimpleNamespace(ptr=9), 9),
        (SimpleNamespace(handle=SimpleNamespace(value=10)), 10), (SimpleNamespace(__cuda_stream__=(0, 11)), 11),
        (SimpleNamespace(__cuda_stream__=lambda: (0, 12)), 12),
    ],
)  # fmt: skip
def test_streams_of_every_library(stream, handle):
    assert stream_handle(stream) == handle


def test_what_is_no_stream():
    with pytest.raises(TypeError, match="Expected a CUDA stream or its handle, got str"):
        stream_handle("fast")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint8", "bool"])
def test_a_capsule_of_numpy_is_read_as_numpy_made_it(dtype):
    values = np.arange(6).reshape(2, 3).astype(dtype)
    array, strides = dlpack.read_capsule(values.T.__dlpack__())
    assert (array.shape, array.dtype, array.address) == ((3, 2), values.dtype, values.ctypes.data)
    assert strides == (1, 3)


def test_a_capsule_is_read_once():
    capsule = np.zeros(3).__dlpack__()
    dlpack.read_capsule(capsule)
    with pytest.raises(TypeError, match="fresh DLPack capsule"):
        dlpack.read_capsule(capsule)


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_numpy_reads_our_capsule(dtype):
    values = np.arange(6).reshape(2, 3).astype(dtype)
    capsule = dlpack.make_capsule(Array(values.ctypes.data, values.shape, values.dtype, owner=values), 0)
    managed = ctypes.cast(dlpack._pointer(capsule, b"dltensor"), ctypes.POINTER(dlpack._Managed))
    managed.contents.tensor.device = 1  # NumPy reads the host's memory only
    kept = len(dlpack._alive)
    seen = np.from_dlpack(SimpleNamespace(__dlpack__=lambda **options: capsule, __dlpack_device__=lambda: (1, 0)))
    np.testing.assert_array_equal(seen, values)
    del seen
    gc.collect()
    assert len(dlpack._alive) == kept - 1


def test_a_capsule_that_nobody_takes_lets_go():
    capsule = dlpack.make_capsule(Array(1 << 20, (3,), np.dtype("float32"), owner=object()), 0)
    kept = len(dlpack._alive)
    del capsule
    assert len(dlpack._alive) == kept - 1


def test_rows_of_an_array():
    array = Array(1024, (5, 3), np.dtype("float32"))
    part = array[slice(1, 3)]
    assert (part.address, part.shape) == (1024 + 12, (2, 3))
    with pytest.raises(ValueError, match="step of 2"):
        array[slice(0, 4, 2)]


def test_devices_are_named(gpu):
    assert devices.gpu().driver is gpu
