"""``docs/layers.md`` says what is so."""

from dev.layers_page import NAMES, PAGE, keras_names, page
from nb3d.layers.refused import REFUSED


def test_the_page_is_what_its_script_writes() -> None:
    assert page() == PAGE.read_text("utf8"), "the page is stale: run `python -m dev.layers_page`"


def test_the_page_tells_of_every_layer_of_keras() -> None:
    text = PAGE.read_text("utf8")
    names = [line.split(" = ")[0] for line in NAMES.read_text("utf8").splitlines()[1:]]
    assert len(names) > 150
    assert [name for name in names if f"`{name}`" not in text] == ["Layer", "Wrapper"]


def test_every_recorded_refusal_is_of_a_layer_that_keras_has_or_had() -> None:
    _, names = keras_names()
    gone = {"CuDNNGRU", "CuDNNLSTM", "LocallyConnected1D", "LocallyConnected2D", "RandomHeight", "RandomWidth"}
    assert REFUSED.keys() - names.keys() == gone
