"""``model.summary()``: Keras' table, with whole shapes and the connections."""

import re
from typing import Any

import pytest

import nb3d
from tests.models_api.helpers import conv_and_norm

layers = nb3d.layers


def summary_of(model: Any, **kwargs: Any) -> str:
    lines: list[str] = []

    def keep(line: str, *args: Any, **more: Any) -> None:
        lines.append(str(line))

    model.summary(print_fn=keep, **kwargs)
    return "\n".join(lines)


def branching(size: int = 8, filters: int = 3) -> Any:
    x = nb3d.Input((size, size, size, 1), name="scan")
    left = layers.Conv3D(filters, 3, padding="same", name="left")(x)
    right = layers.Conv3D(filters, 1, name="right")(x)
    return nb3d.Model(x, layers.Add(name="total")([left, right]), name="fork")


def row_of(text: str, name: str) -> str:
    """The first line of the table that names the layer."""
    return next(line for line in text.splitlines() if re.search(rf"\b{name}\b \(", line) or f" {name} " in line)


@pytest.mark.parametrize("kwargs", [{}, {"line_length": 80}, {"line_length": 120}], ids=str)
@pytest.mark.parametrize(("size", "filters"), [(8, 3), (128, 64), (1024, 2048)])
def test_a_shape_of_five_axes_is_never_truncated_nor_broken(size: int, filters: int, kwargs: dict[str, Any]) -> None:
    text = summary_of(branching(size, filters), **kwargs)
    assert text.count(f"(None, {size}, {size}, {size}, {filters})") == 3
    assert f"(None, {size}, {size}, {size}, 1)" in text


def test_every_layer_has_a_row_with_its_class_and_parameters() -> None:
    model = conv_and_norm()
    text = summary_of(model)
    for layer in model.layers:
        assert layer.name in text
        assert type(layer).__name__ in text
        assert str(layer.count_params()) in row_of(text, layer.name)
    assert 'Model: "conv_and_norm"' in text


def test_the_totals_are_at_the_end() -> None:
    model = conv_and_norm()
    text = summary_of(model).replace(",", "")
    assert re.search(rf"Total params: {model.count_params()}\b", text)
    assert re.search(rf"(?<!Non-)(?i:trainable params): {model.count_params() - 4}\b", text)
    assert re.search(r"Non-trainable params: 4\b", text)


def test_large_totals_count_every_parameter() -> None:
    text = summary_of(branching(8, 2048)).replace(",", "")
    assert re.search(rf"Total params: {2048 * 28 + 2048 * 2}\b", text)


def test_connections_are_named_where_the_network_branches() -> None:
    text = summary_of(branching())
    assert "Connected to" in text
    assert "scan" in row_of(text, "left").split("left", 1)[1]
    rest = text[text.index("total") :]
    assert "left" in rest
    assert "right" in rest


def test_a_shared_layer_is_one_row() -> None:
    a, b = nb3d.Input((4,), name="a"), nb3d.Input((4,), name="b")
    shared = layers.Dense(3, name="shared")
    model = nb3d.Model([a, b], layers.Add(name="total")([shared(a), shared(b)]))
    text = summary_of(model)
    assert text.count("shared (Dense)") == 1
    assert re.search(r"Total params: 15\b", text)


def test_different_output_shapes_of_a_shared_layer_are_no_error() -> None:
    a, b = nb3d.Input((5, 4), name="a"), nb3d.Input((6, 4), name="b")
    shared = layers.Dense(3, name="shared")
    text = summary_of(nb3d.Model([a, b], [shared(a), shared(b)]))
    assert "shared" in text


def test_several_outputs_of_a_layer_are_all_shown() -> None:
    a, b = nb3d.Input((4,), name="a"), nb3d.Input((5,), name="b")
    inner = nb3d.Model([a, b], [layers.Dense(2)(a), layers.Dense(3)(b)], name="inner")
    x, y = nb3d.Input((4,), name="x"), nb3d.Input((5,), name="y")
    text = summary_of(nb3d.Model([x, y], inner([x, y])))
    assert "(None, 2)" in text
    assert "(None, 3)" in text


def test_a_sequential_shows_its_layers() -> None:
    model = nb3d.Sequential([nb3d.Input((6, 6, 6, 1)), layers.Conv3D(2, 3, name="conv")], name="seq")
    text = summary_of(model)
    assert 'Model: "seq"' in text
    assert "(None, 4, 4, 4, 2)" in text


def test_without_print_fn_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    branching().summary()
    assert "(None, 8, 8, 8, 3)" in capsys.readouterr().out


def test_the_summary_changes_nothing() -> None:
    model = branching()
    before = [len(layer.inbound_nodes) for layer in model.layers]
    assert summary_of(model) == summary_of(model)
    assert [len(layer.inbound_nodes) for layer in model.layers] == before
