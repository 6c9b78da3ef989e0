"""Zero padding before a convolution, and cropping before or behind it, become voxels that it sees as zeros or skips."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from nb3d.ops.convolution import Margins, padding_before
from nb3d.ops.shapes import effective_size
from nb3d.plan.graph import Graph, Step
from nb3d.plan.passes.pattern import Rewriting, swallow

_RESIDUAL = 3


def _margins(graph: Rewriting, step: Step) -> Margins:
    """Voxels that a convolution sees before and behind each axis of its input."""
    sizes, window, outputs = (graph.shape(v)[:5] for v in (*step.inputs[:2], step.output) if v is not None)
    strides, dilation, padding = step.attrs["strides"], step.attrs["dilation"], step.attrs["padding"]
    before = padding_before(sizes[1:4], window[:3], strides, padding, dilation)
    spans = map(effective_size, window[:3], dilation)
    return cast(
        "Margins",
        tuple(
            (b, (out - 1) * stride + span - size - b)
            for b, out, stride, span, size in zip(before, outputs[1:4], strides, spans, sizes[1:4], strict=True)
        ),
    )


def _with_margins(step: Step, margins: Margins) -> Step:
    return replace(step, attrs={**step.attrs, "padding": margins})


def _before(graph: Rewriting, border: Step, convolution: Step) -> Step | None:
    """Padding adds to the margins; cropping takes from them, as long as no voxel that was cut would be seen."""
    if convolution.inputs[0] != border.output:
        return None
    sign = 1 if border.op.name == "pad3d" else -1
    margins = _margins(graph, convolution)
    if sign < 0 and any(b > 0 or a > 0 for b, a in margins):
        return None
    moved = tuple((b + sign * x, a + sign * y) for (b, a), (x, y) in zip(margins, border.attrs["amount"], strict=True))
    merged = replace(convolution, inputs=(border.inputs[0], *convolution.inputs[1:]))
    return _with_margins(merged, cast("Margins", moved))


def _behind(graph: Rewriting, convolution: Step, crop: Step) -> Step | None:
    """Outputs that are cut are not computed."""
    if convolution.inputs[_RESIDUAL] is not None:
        return None
    margins, strides, cut = _margins(graph, convolution), convolution.attrs["strides"], crop.attrs["amount"]
    moved = tuple((b - x * s, a - y * s) for (b, a), s, (x, y) in zip(margins, strides, cut, strict=True))
    return _with_margins(convolution, cast("Margins", moved))


def absorb_borders(graph: Graph) -> Graph:
    """The graph with such paddings and croppings merged into convolutions."""
    graph = swallow(graph, ("conv3d",), ("pad3d", "crop3d"), _before)
    return swallow(graph, ("crop3d",), ("conv3d",), _behind)
