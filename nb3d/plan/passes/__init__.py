"""Rewrites of a plan's graph, one file each, in the order in which they run.

Every pass is a function from graph to graph: a predicate (sole consumer, not an output, constant weights) and an
action. None touches a layer's Variables.
"""

from __future__ import annotations

from collections.abc import Callable

from nb3d.plan.graph import Graph
from nb3d.plan.passes.absorb_borders import absorb_borders
from nb3d.plan.passes.drop_identities import drop_identities
from nb3d.plan.passes.fold_batch_normalization import fold_batch_normalization
from nb3d.plan.passes.fold_constants import fold_constants
from nb3d.plan.passes.fuse_activation import fuse_activation
from nb3d.plan.passes.fuse_bias import fuse_bias
from nb3d.plan.passes.fuse_residual import fuse_residual
from nb3d.plan.passes.lower_einsum import lower_einsum
from nb3d.plan.passes.sink_layouts import sink_layouts

PASSES: tuple[Callable[[Graph], Graph], ...] = (
    drop_identities,
    lower_einsum,
    fold_constants,
    sink_layouts,
    fuse_bias,
    fold_batch_normalization,
    fuse_residual,
    fuse_activation,
    absorb_borders,
)


def run_passes(graph: Graph, after_each: Callable[[Graph], None] = lambda graph: None) -> Graph:
    """The graph after all passes; `after_each` sees it in between (tests hand a checker)."""
    graph = graph.pruned()
    for rewrite in PASSES:
        graph = rewrite(graph).pruned()
        after_each(graph)
    return graph
