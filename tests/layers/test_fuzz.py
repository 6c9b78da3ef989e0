"""Random single layers keep the promises of layers: 2,000 of them here, more with ``make fuzz`` (``NB3D_FUZZ=20``).

What the plan computes is what the reference kernels compute; shapes are inferred as they come out, and unknown sizes
promise nothing wrong; the configuration survives JSON and makes a layer of the same bits. Arguments that do not fit
are refused with the layer's name.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nb3d
from tests.layers.fuzz_cases import FAMILIES, FuzzCase

FACTOR = max(1, int(os.environ.get("NB3D_FUZZ", "1")))
EXAMPLES = 200


@contextmanager
def reference_kernels() -> Iterator[None]:
    os.environ["NB3D_IMPL"] = "*:reference"
    try:
        yield
    finally:
        del os.environ["NB3D_IMPL"]


def made(case: FuzzCase) -> Any:
    """The layer; what is inside it is made first."""
    kwargs = dict(case.kwargs)
    if isinstance(kwargs.get("layer"), tuple):
        inner, arguments = kwargs["layer"]
        kwargs["layer"] = inner(**arguments, name="inner")
    return case.make(**kwargs, name="fuzzed")


def randomize(layer: Any) -> None:
    random = np.random.default_rng(5)
    layer.set_weights([random.uniform(0.1, 0.9, weight.shape).astype("float32") for weight in layer.weights])


def symbols(case: FuzzCase, known: bool) -> list[Any]:
    """Inputs with all sizes known, or with the batch unknown."""
    dtype = "int32" if case.below else "float32"
    return [nb3d.Input(batch_shape=shape if known else (None, *shape[1:]), dtype=dtype) for shape in case.shapes]


def assert_near(got: np.ndarray, wanted: np.ndarray) -> None:
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    scale = np.abs(np.where(np.isfinite(wanted), wanted, 0)).max(initial=0.0)
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5 * max(float(scale), 1.0))


def check(case: FuzzCase) -> None:
    arrays = case.arrays()
    layer = made(case)
    inputs = symbols(case, known=True)
    output = case.apply(layer, inputs)
    randomize(layer)
    run = nb3d.function(inputs, [output])
    (planned,) = run(arrays)
    with reference_kernels():
        (wanted,) = run(arrays)
    assert output.shape == planned.shape
    assert_near(planned, wanted)
    assert_near(case.apply(layer, arrays), wanted)

    free = symbols(case, known=False)
    loose = case.apply(layer, free)
    assert all(guess in (None, size) for guess, size in zip(loose.shape, planned.shape, strict=True))
    np.testing.assert_array_equal(nb3d.function(free, [loose])(arrays)[0], planned)

    config = json.loads(json.dumps(nb3d.layers.serialize(layer)))
    copy = nb3d.layers.deserialize(config)
    assert json.loads(json.dumps(nb3d.layers.serialize(copy))) == config
    case.apply(copy, symbols(case, known=True))
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(case.apply(copy, arrays), case.apply(layer, arrays))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_random_layer_keeps_its_promises_or_is_refused_by_name(family: str) -> None:
    outcomes: list[str] = []

    @settings(
        max_examples=EXAMPLES * FACTOR, deadline=None, derandomize=FACTOR == 1, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(FAMILIES[family]())
    def fuzz(case: FuzzCase) -> None:
        with nb3d.Graph().as_default():
            try:
                check(case)
                outcomes.append("kept")
            except ValueError as refusal:
                if isinstance(refusal, AssertionError):
                    raise
                outcomes.append("refused")
                text = str(refusal)
                assert "fuzzed" in text or "inner" in text or text.startswith("The `"), text

    fuzz()
    assert outcomes.count("kept") > len(outcomes) / 2, "most cases must be ones that can be computed"


def test_there_are_two_thousand_cases() -> None:
    assert EXAMPLES * len(FAMILIES) >= 2000


def test_a_wrong_kernel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from nb3d.kernels.reference import pooling

    monkeypatch.setitem(pooling.KERNELS, "max_pool3d", lambda x, out, scratch, *params: out.fill(3.0))
    case = st.just(FuzzCase(nb3d.layers.MaxPooling2D, {"pool_size": 2}, [(1, 4, 4, 2)]))

    @settings(max_examples=1, database=None)
    @given(case)
    def fuzz(case: FuzzCase) -> None:
        check(case)

    with pytest.raises(AssertionError):
        fuzz()
