"""``layer.graph``: the graph a layer was made in, and that two graphs do not meet."""

import pytest

import nb3d
from tests.engine.helpers import count

layers = nb3d.layers


def test_a_layer_belongs_to_the_default_graph_of_its_construction() -> None:
    layer = layers.Dense(2)
    assert layer.graph is nb3d.get_default_graph()
    other = nb3d.Graph()
    with other.as_default():
        assert nb3d.get_default_graph() is other
        assert layers.Dense(2).graph is other
        assert layer.graph is not other
    assert nb3d.get_default_graph() is layer.graph


def test_the_default_graph_is_restored_after_an_error() -> None:
    before = nb3d.get_default_graph()
    with pytest.raises(KeyError), nb3d.Graph().as_default():
        raise KeyError
    assert nb3d.get_default_graph() is before


def test_inputs_of_another_graph_are_refused() -> None:
    layer = layers.Dense(2)
    with nb3d.Graph().as_default():
        x = nb3d.Input((3,))
    with pytest.raises(ValueError, match="graph"):
        layer(x)
    assert list(layer.inbound_nodes) == []


def test_a_graph_is_whole_in_itself() -> None:
    with nb3d.Graph().as_default() as graph:
        x = nb3d.Input((3,))
        model = nb3d.Model(x, layers.Dense(2)(x))
        assert model.graph is graph
    assert model(count((4, 3))).shape == (4, 2)


def test_automatic_names_start_again_in_a_new_graph() -> None:
    layers.Dense(2)
    with nb3d.Graph().as_default():
        assert layers.Dense(2).name == "dense"
        assert layers.Dense(2).name == "dense_1"


def test_clearing_the_session_starts_the_names_again() -> None:
    nb3d.utils.clear_session()
    assert [layers.Dense(2).name, layers.Dense(2).name] == ["dense", "dense_1"]
    nb3d.utils.clear_session()
    assert layers.Dense(2).name == "dense"
