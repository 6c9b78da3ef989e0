"""`Model.predict` and its kin: forms of input and output, batches, progress, devices, Monte-Carlo dropout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nb3d
from nb3d import layers, ops
from nb3d.models import progress as progress_module
from nb3d.models.batches import LARGEST_BATCH, batch_length, slices_of

RNG = np.random.default_rng(0)
A = RNG.standard_normal((3, 4, 4, 4, 1)).astype("float32")
B = RNG.standard_normal((3, 4, 4, 4, 2)).astype("float32")


def two_by_two(as_dict: bool = False) -> nb3d.Model:
    a, b = nb3d.Input((4, 4, 4, 1), name="a"), nb3d.Input((4, 4, 4, 2), name="b")
    joined = layers.Concatenate()([a, b])
    mean, total = nb3d.ops.mean(joined, axis=-1), nb3d.ops.sum(joined, axis=-1)
    return nb3d.Model([a, b], {"mean": mean, "sum": total} if as_dict else [mean, total])


def test_several_inputs_come_as_a_list_or_by_name() -> None:
    model = two_by_two()
    want = model.predict([A, B], verbose=0)
    for got in (model.predict({"b": B, "a": A}, verbose=0), model.predict((A, B), verbose=0), model([A, B])):
        assert isinstance(got, list)
        for array, expected in zip(got, want, strict=True):
            np.testing.assert_array_equal(array, expected)


def test_outputs_come_in_the_form_in_which_the_model_has_them() -> None:
    got = two_by_two(as_dict=True).predict([A, B], verbose=0)
    assert list(got) == ["mean", "sum"]
    np.testing.assert_allclose(got["sum"], np.concatenate([A, B], -1).sum(-1), rtol=1e-5, atol=1e-5)


def test_lists_of_numbers_other_dtypes_and_views_are_taken() -> None:
    x = nb3d.Input((2, 2, 2, 1))
    model = nb3d.Model(x, layers.Conv3D(1, 2, kernel_initializer="ones")(x))
    volume = np.arange(16).reshape(2, 2, 2, 2, 1)
    for form in (volume, volume.astype("uint8"), volume.astype("float64"), np.asfortranarray(volume), volume.tolist()):
        got = model.predict(form, verbose=0)
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got.ravel(), [28, 92])
    np.testing.assert_array_equal(model.predict(volume[::-1], verbose=0).ravel(), [92, 28])


def test_inputs_with_different_numbers_of_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="same number of samples"):
        two_by_two().predict([A, B[:2]], verbose=0)


def test_a_missing_input_is_named() -> None:
    with pytest.raises(ValueError, match="'b'"):
        two_by_two().predict({"a": A}, verbose=0)


@pytest.mark.parametrize(("samples", "length"), [(0, 3), (1, 1), (7, 3), (6, 3)])
def test_slices_cover_all_samples_once(samples: int, length: int) -> None:
    covered = [i for part in slices_of(samples, length) for i in range(part.start, part.stop)]
    assert covered == list(range(samples))


def test_batches_are_large_for_small_samples_and_single_for_large_ones() -> None:
    x = nb3d.Input((None, None, None, 1))
    function = nb3d.Model(x, layers.Conv3D(8, 3, padding="same")(x)).function()
    tiny, huge = np.zeros((100, 4, 4, 4, 1)), np.broadcast_to(np.float32(0), (4, 256, 256, 256, 1))
    assert batch_length(function, [tiny], None) == LARGEST_BATCH
    assert batch_length(function, [huge], None) == 1


class Clock:
    """Time that passes a second with every look."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1.0
        return self.now


def shown(verbose: Any, terminal: bool, monkeypatch: Any, capsys: Any) -> str:
    monkeypatch.setattr(progress_module, "time", Clock())
    monkeypatch.setattr(progress_module.sys.stderr, "isatty", lambda: terminal, raising=False)
    work: Iterator[slice] = progress_module.progress(slices_of(10, 2), 10, verbose, "predict net")
    assert len(list(work)) == 5
    return str(capsys.readouterr().err)


def test_progress_is_shown_when_asked_for(monkeypatch: Any, capsys: Any) -> None:
    text = shown(1, False, monkeypatch, capsys)
    assert "predict net" in text
    assert "10/10" in text


def test_progress_is_shown_by_itself_only_for_long_work_on_a_terminal(monkeypatch: Any, capsys: Any) -> None:
    assert "10/10" in shown("auto", True, monkeypatch, capsys)
    assert shown("auto", False, monkeypatch, capsys) == ""
    assert shown(0, True, monkeypatch, capsys) == ""


def test_an_unknown_verbosity_is_refused() -> None:
    with pytest.raises(ValueError, match="verbose"):
        two_by_two().predict([A, B], verbose="loud")


def test_a_device_is_chosen_by_name_and_an_unknown_one_refused() -> None:
    model = two_by_two()
    np.testing.assert_array_equal(
        model.predict([A, B], device="cpu", verbose=0)[0], model.predict([A, B], device="auto", verbose=0)[0]
    )
    with pytest.raises(ValueError, match="tpu"):
        model.predict([A, B], device="tpu", verbose=0)


def test_dropout_is_random_in_training_only() -> None:
    x = nb3d.Input((4, 4, 4, 1))
    model = nb3d.Model(x, layers.Dropout(0.5)(layers.Conv3D(2, 1, kernel_initializer="ones")(x)))
    ones = np.ones((1, 4, 4, 4, 1), "float32")
    np.testing.assert_array_equal(model(ones), np.ones((1, 4, 4, 4, 2)))
    first, second = model(ones, training=True), model(ones, training=True)
    assert not np.array_equal(first, second)
    assert set(np.unique(first)) == {0.0, 2.0}


def test_batch_normalization_uses_the_batch_in_training() -> None:
    x = nb3d.Input((4, 4, 4, 2))
    model = nb3d.Model(x, layers.BatchNormalization()(x))
    y = model(B * 3 + 5, training=True)
    np.testing.assert_allclose(y.mean((0, 1, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(y.std((0, 1, 2, 3)), 1, atol=1e-2)
    assert np.abs(model(B * 3 + 5)).max() > 3


# ---- a batch size in the shape of the input


def of_two() -> tuple[Any, Any]:
    """A model whose input has a batch size, which is part of what it computes, and the same one without."""
    x = nb3d.Input(batch_shape=(2, 4))
    dense = layers.Dense(4, bias_initializer="ones")
    y = ops.reshape(dense(x), (2, 2, 2))
    free = nb3d.Input((4,))
    return nb3d.Model(x, y), nb3d.Model(free, layers.Reshape((2, 2))(dense(free)))


@pytest.mark.parametrize("samples", [1, 2, 3, 4, 5])
def test_inputs_with_a_batch_size_take_any_number_of_samples(samples: int) -> None:
    fixed, free = of_two()
    array = np.random.default_rng(0).standard_normal((samples, 4)).astype("float32")
    for batch_size in (None, 3):
        result = fixed.predict(array, batch_size=batch_size, verbose=0)
        np.testing.assert_allclose(result, free.predict(array, verbose=0), rtol=1e-5, atol=1e-6)


def test_inputs_with_a_batch_size_may_get_no_sample() -> None:
    assert of_two()[0].predict(np.zeros((0, 4), "float32"), verbose=0).shape == (0, 2, 2)


def test_an_output_that_is_none_of_samples_needs_whole_batches() -> None:
    x = nb3d.Input(batch_shape=(2, 4))
    model = nb3d.Model(x, ops.reshape(x, (1, 8)))
    assert model.predict(np.zeros((4, 4), "float32"), verbose=0).shape == (2, 8)
    with pytest.raises(ValueError, match=r"fixed to 2.*\(1, 8\).*a multiple of 2 samples"):
        model.predict(np.zeros((3, 4), "float32"), verbose=0)


def test_a_single_batch_must_have_the_batch_size_of_the_input() -> None:
    model, _ = of_two()
    assert model(np.zeros((2, 4), "float32")).shape == (2, 2, 2)
    with pytest.raises(ValueError, match=r"expected an array of shape \(2, 4\), got \(3, 4\)"):
        model.predict_on_batch(np.zeros((3, 4), "float32"))


def test_plans_and_self_tests_have_the_batch_size_of_the_input(tmp_path: Path) -> None:
    model, _ = of_two()
    assert "2x2x2" in str(model.plan((4,)))
    model.save(tmp_path / "model.keras", self_test=True)
    copy = nb3d.models.load_model(tmp_path / "model.keras", verify=True)
    assert copy.inputs[0].shape == (2, 4)


def test_a_batch_size_in_the_input_names_the_sample_that_is_not_finite() -> None:
    x = nb3d.Input(batch_shape=(2, 1))
    model = nb3d.Model(x, ops.log(x))
    with pytest.raises(FloatingPointError, match=r"at \(2, 0\)"):
        model.predict(np.array([[1], [1], [0]], "float32"), verbose=0, check_finite=True)
