"""HDF5 files that lead elsewhere, promise more than they hold, or hold other weights than the model has."""

import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nb3d
from nb3d.saving import ModelFileError
from tests.saving.craft import archive, members, refusal, small_model, with_weights, write

KERNEL = "layers/conv3d/vars/0"
VARIANCE = "layers/batch_normalization/vars/3"


def replaced(path: str, make: Callable[[Any, str], Any]) -> Callable[[Any], None]:
    """A change that puts something else in the place of a dataset or group."""

    def change(file: Any) -> None:
        del file[path]
        make(file, path)

    return change


def values(array: Any, **options: Any) -> Callable[[Any, str], Any]:
    return lambda file, path: file.create_dataset(path, data=array, **options)


# ---- links and layouts that lead out of the dataset (CVE-2025-12058, CVE-2026-1462, CVE-2026-1669, CVE-2026-12479)


def external_link(file: Any, path: str) -> None:
    file[path] = h5py.ExternalLink("/etc/passwd", "/secret")


def soft_link(file: Any, path: str) -> None:
    file[path] = h5py.SoftLink("/layers/dense/vars/0")


def external_storage(file: Any, path: str) -> None:
    file.create_dataset(path, (3, 3, 3, 1, 2), "float32", external=[("/etc/passwd", 0, 216)])


def virtual(file: Any, path: str) -> None:
    layout = h5py.VirtualLayout((3, 3, 3, 1, 2), "float32")
    layout[...] = h5py.VirtualSource("/etc/passwd", "x", (3, 3, 3, 1, 2))
    file.create_virtual_dataset(path, layout)


@pytest.mark.parametrize("make", [external_link, soft_link, external_storage, virtual])
def test_values_that_lie_elsewhere_are_refused(make: Any, tmp_path: Path) -> None:
    assert KERNEL in refusal(with_weights(tmp_path, replaced(KERNEL, make)))


@pytest.mark.parametrize("make", [external_link, soft_link])
@pytest.mark.parametrize("group", ["layers", "layers/conv3d", "layers/conv3d/vars"])
def test_links_are_not_followed_at_any_depth(make: Any, group: str, tmp_path: Path) -> None:
    message = refusal(with_weights(tmp_path, replaced(group, make)))
    assert f"{group}: links are not followed" in message


def test_a_group_that_holds_itself_is_refused(tmp_path: Path) -> None:
    def change(file: Any) -> None:
        file["layers/conv3d/again"] = file["layers"]

    assert "holds itself" in refusal(with_weights(tmp_path, change))


# ---- sizes and filters


def test_a_filter_that_hdf5_does_not_have_built_in_is_refused(tmp_path: Path) -> None:
    change = replaced(KERNEL, values(np.zeros((3, 3, 3, 1, 2), "float32"), compression="lzf"))
    message = refusal(with_weights(tmp_path, change))
    assert f"{KERNEL}: the filter is foreign" in message


@pytest.mark.parametrize("options", [{"compression": "gzip"}, {"shuffle": True, "fletcher32": True}, {"chunks": True}])
def test_built_in_filters_are_read(options: dict[str, Any], tmp_path: Path) -> None:
    kernel = np.arange(54, dtype="float32").reshape(3, 3, 3, 1, 2)
    model = nb3d.models.load_model(with_weights(tmp_path, replaced(KERNEL, values(kernel, **options))))
    np.testing.assert_array_equal(model.get_layer("conv").kernel.numpy(), kernel)


def test_a_shape_bomb_is_refused_by_its_shape(tmp_path: Path) -> None:
    def bomb(file: Any, path: str) -> None:
        file.create_dataset(path, (2**40,), "float32", chunks=(2**20,), compression="gzip")

    assert KERNEL in refusal(with_weights(tmp_path, replaced(KERNEL, bomb)))


def test_chunks_larger_than_the_dataset_are_refused(tmp_path: Path) -> None:
    def bomb(file: Any, path: str) -> None:
        file.create_dataset(
            path, (3, 3, 3, 1, 2), "float32", maxshape=(None,) * 5, chunks=(64, 64, 64, 64, 2), compression="gzip"
        )

    assert "chunks" in refusal(with_weights(tmp_path, replaced(KERNEL, bomb)))


def test_values_that_were_never_written_are_refused(tmp_path: Path) -> None:
    def hollow(file: Any, path: str) -> None:
        file.create_dataset(path, (3, 3, 3, 1, 2), "float32")

    assert "not all there" in refusal(with_weights(tmp_path, replaced(KERNEL, hollow)))


def test_a_million_objects_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nb3d.saving.hdf5.MAX_OBJECTS", 10)
    assert "too many" in refusal(archive(tmp_path))


# ---- other weights


@pytest.mark.parametrize("shape", [(3, 3, 3, 1, 3), (3, 3, 3, 2, 1), (54,), (3, 3, 3, 1, 2, 1), (0,), ()])
def test_a_weight_of_another_shape_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    message = refusal(with_weights(tmp_path, replaced(KERNEL, values(np.zeros(shape, "float32")))))
    assert f"layer 'conv': {KERNEL}: the weight has another shape" in message
    assert f"expected (3, 3, 3, 1, 2), got {shape}" in message


COUNT = "layers/normalization/vars/2"


def with_count(folder: Path, count: Any) -> Path:
    """A file with a weight that nb3d holds as int64, stored otherwise."""
    x = nb3d.Input((4,))
    model = nb3d.Model(x, nb3d.layers.Normalization(name="norm")(x))
    model.save(folder / "counted.keras")
    content = members(folder / "counted.keras")
    stream = BytesIO(content["model.weights.h5"])
    with h5py.File(stream, "r+") as file:
        replaced(COUNT, values(count))(file)
    content["model.weights.h5"] = stream.getvalue()
    return write(folder / "other.keras", content)


@pytest.mark.parametrize("dtype", ["int32", "uint32", "uint64", "int64"])
def test_whole_numbers_may_have_another_width(dtype: str, tmp_path: Path) -> None:
    """The backends of Keras count in different ones."""
    model = nb3d.models.load_model(with_count(tmp_path, np.array(7, dtype)))
    count = model.get_layer("norm").count.numpy()
    assert (count, count.dtype) == (7, np.dtype("int64"))


@pytest.mark.parametrize("dtype", ["float32", "int8", ">i8", "bool"])
def test_what_is_no_whole_number_of_the_machine_is_refused(dtype: str, tmp_path: Path) -> None:
    message = refusal(with_count(tmp_path, np.array(1, dtype)))
    assert f"layer 'norm': {COUNT}: the weight has another dtype: expected int64" in message


def test_whole_numbers_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    message = refusal(with_count(tmp_path, np.array(2**63, "uint64")))
    assert f"layer 'norm': {COUNT}: values do not fit the weight, an int64: expected {-(2**63)} to" in message


@pytest.mark.parametrize("dtype", ["float64", ">f4", "float16", "int32", "complex64", "S4"])
def test_a_weight_of_another_dtype_is_refused(dtype: str, tmp_path: Path) -> None:
    message = refusal(with_weights(tmp_path, replaced(KERNEL, values(np.zeros((3, 3, 3, 1, 2), dtype)))))
    assert f"layer 'conv': {KERNEL}: the weight has another dtype: expected float32" in message


def test_missing_and_extra_weights_are_listed(tmp_path: Path) -> None:
    def change(file: Any) -> None:
        del file["layers/conv3d/vars/1"]
        file["layers/conv3d/vars/7"] = np.zeros(2, "float32")
        file["layers/conv3d_1/vars/0"] = np.zeros(2, "float32")

    message = refusal(with_weights(tmp_path, change))
    assert "missing: layers/conv3d/vars/1 of 'conv'" in message
    assert "extra: layers/conv3d/vars/7, layers/conv3d_1/vars/0" in message


def test_the_state_of_a_training_is_no_extra_weight(tmp_path: Path) -> None:
    def change(file: Any) -> None:
        file["optimizer/vars/0"] = np.zeros(2, "float32")
        file["metrics/mean/vars/0"] = np.zeros((), "float32")  # as tf_keras has them
        file["layers/dropout/seed_generator/vars/0"] = np.zeros(2, "uint32")

    nb3d.models.load_model(with_weights(tmp_path, change))


@pytest.mark.parametrize("place", [KERNEL, "layers/conv3d/vars", "layers"])
def test_a_group_for_a_dataset_and_the_reverse_are_refused(place: str, tmp_path: Path) -> None:
    if place == KERNEL:
        change = replaced(place, lambda file, path: file.create_group(path))
    else:
        change = replaced(place, values(np.zeros(3, "float32")))
    refusal(with_weights(tmp_path, change))


def test_a_dataset_of_no_shape_and_one_of_bfloat16_are_refused(tmp_path: Path) -> None:
    refusal(with_weights(tmp_path, replaced(KERNEL, values(h5py.Empty("f4")))))

    def bfloat16(file: Any) -> None:
        file[KERNEL].attrs["dtype"] = "bfloat16"

    assert "bfloat16" in refusal(with_weights(tmp_path, bfloat16))


# ---- values


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused_unless_they_are_asked_for(bad: float, tmp_path: Path) -> None:
    def change(file: Any) -> None:
        file[KERNEL][1, 1, 1, 0, 1] = bad

    path = with_weights(tmp_path, change)
    assert f"layer 'conv': {KERNEL}: 1 of 54 values are NaN or infinite" in refusal(path)
    with pytest.warns(RuntimeWarning, match="1 of 54") as caught:
        nb3d.models.load_model(path, nonfinite="warn")
    assert str(path) in str(caught[0].message)
    model = nb3d.models.load_model(path, nonfinite="allow")
    assert not np.isfinite(model.get_layer("conv").kernel.numpy()).all()


def test_a_negative_variance_is_refused(tmp_path: Path) -> None:
    def change(file: Any) -> None:
        file[VARIANCE][0] = -1.0

    assert "layer 'norm'" in refusal(with_weights(tmp_path, change))
    nb3d.models.load_model(with_weights(tmp_path, change), nonfinite="allow")


def test_there_is_no_fourth_policy(tmp_path: Path) -> None:
    for wrong in ("ignore", "", None):
        with pytest.raises(ValueError, match="nonfinite"):
            nb3d.models.load_model(archive(tmp_path), nonfinite=wrong)  # type: ignore[arg-type]


def test_a_model_stays_as_it_was_when_the_last_weight_does_not_fit(tmp_path: Path) -> None:
    def change(file: Any) -> None:
        file["layers/dense/vars/1"][0] = np.nan

    model = small_model()
    before = model.get_weights()
    with pytest.raises(ModelFileError, match="'head'"):
        model.load_weights(with_weights(tmp_path, change))
    for mine, its in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, its)


# ---- the container


@pytest.mark.parametrize("length", [0, 1, 8, 96, 512, 2048, 5000])
def test_truncated_weights_are_refused(length: int, tmp_path: Path) -> None:
    def cut(content: dict[str, bytes]) -> None:
        content["model.weights.h5"] = content["model.weights.h5"][:length]

    refusal(archive(tmp_path, cut))


def test_a_heap_that_would_never_end_is_refused(tmp_path: Path) -> None:
    """The HDF5 library, as of 2.0, hangs on it."""
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "x" * 500
    content = bytearray(path.read_bytes())
    heap = content.find(b"GCOL")
    assert heap > 0
    unused = heap + 16 + 16 + 504
    assert struct.unpack_from("<H", content, unused) == (0,)
    struct.pack_into("<Q", content, unused + 8, 0)
    path.write_bytes(content)
    assert "a heap of strings" in refusal(path)


def test_a_list_of_names_that_are_all_one_long_string_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["b" * 5000, "b" * 5000]
    monkeypatch.setattr("nb3d.saving.attributes.MAX_TEXT", 8000)
    with pytest.raises(ModelFileError, match="too long: expected at most 8000 bytes, got 10000"):
        small_model().load_weights(path)


def test_a_weights_file_of_a_whole_other_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["data"] = np.zeros(3)
    assert "weights alone" in refusal(path)
    with pytest.raises(ModelFileError, match="extra: data"):
        small_model().load_weights(path)


def test_the_file_that_was_crafted_is_otherwise_sound(tmp_path: Path) -> None:
    path = with_weights(tmp_path, lambda file: None)
    assert nb3d.models.load_model(path).name == "small"
    assert set(members(path)) == {"metadata.json", "config.json", "model.weights.h5"}
