"""conv3d, conv3d_transpose and dense by tiles, in float32 and on tensor cores: see ``device/conv_tile.py``.

A module of the table for each kind calls ``serve``. ``prepare`` pads the weights with zeros, the same for every volume
and tile, so that plans share them; beside the bias it packs what a volume needs, the phases and the table of the sum.
All phases of a transposed convolution are one launch.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from nb3d.kernels.case import Arrays, Case, Kernel
from nb3d.kernels.cuda import tiles
from nb3d.kernels.cuda.arrays import absent
from nb3d.kernels.cuda.correlations import sizes_of
from nb3d.kernels.cuda.launches import launch
from nb3d.kernels.cuda.program import Program, program
from nb3d.kernels.cuda.scratch import Cutter, aligned
from nb3d.kernels.cuda.strides import flat
from nb3d.kernels.cuda.sums import Functions, launch_sums, padded_bias, partial_bytes
from nb3d.kernels.cuda.tile_packing import WORDS, padded_weights, phase_words, table_of
from nb3d.kernels.cuda.tiles import DEPTH, Kind, Tile, vector_of
from nb3d.kernels.policy import current

STAGES = 3  # steps in shared memory
ARGUMENTS = (
    "float32[]", "int32[]", "int32[]", *("float32[]",) * 4, *("int32",) * 22, "int64", "int32", *("float32",) * 2,
)  # fmt: skip


def tile_program(kind: Kind, tile: Tile, vector: int, code: int) -> Program:
    """Returns a variant of the kernel."""
    shared = STAGES * (tile.rows + kind.pieces * tile.columns) * DEPTH * 4
    return program(
        "conv_tile", ARGUMENTS, tile.threads, tile.resident, shared, kind=kind.name, rows=tile.rows,
        columns=tile.columns, tall=tile.tall, wide=tile.wide, vector=vector, code=code,
    )  # fmt: skip


def serve(kind: Kind) -> Functions:
    """Returns the ``accepts``, ``declines``, ``prepare``, ``scratch`` and ``load`` of a kind."""

    def declines(case: Case) -> str | None:
        if current().precision not in kind.precisions:
            return f"the precision is {current().precision}"
        sizes = sizes_of(case)
        if sizes.groups > 1 and sizes.made < 8:
            return "the groups are smaller than a tile"
        return None if kind.instead is None else tiles.why_slower(case, tiles.layout(kind, case).split, kind.instead)

    def prepare(case: Case, inputs: Arrays) -> Arrays:
        """Pads weights; packs the bias by groups with zeros for parts of a sum, phases and table."""
        sizes, item = sizes_of(case), tiles.layout(kind, case)
        x, kernel, bias, *rest = inputs
        kernel = kernel.reshape(1, 1, 1, *kernel.shape) if case.op == "dense" else kernel
        arrays = padded_bias(bias, sizes.groups, sizes.made, item.padded), phase_words(item), table_of(item, sizes)
        packed, at = np.zeros(sum(aligned(array.nbytes) for array in arrays), np.uint8), 0
        for array in arrays:
            packed[at : at + array.nbytes] = array.reshape(-1).view(np.uint8)
            at += aligned(array.nbytes)
        return x, kind.pack(padded_weights(item, sizes, kernel)), packed, *rest

    def scratch(case: Case, threads: int) -> int:
        """The parts of divided sums."""
        return partial_bytes(tiles.layout(kind, case).split, case)

    return tiles.why_not, declines, prepare, scratch, partial(_load, kind)


def _load(kind: Kind, case: Case) -> Kernel:
    sizes, item = sizes_of(case), tiles.layout(kind, case)
    vector, alpha, beta = vector_of(sizes), *case.params[-2:]
    phases, one, split = len(item.phases), item.phases[0], item.split
    grid = (*item.blocks, phases * sizes.groups * split.parts)
    entries = item.steps * DEPTH // vector

    def run(x, weights, packed, residuals, out, scratch):
        cut = Cutter(packed)
        biases = cut.array((2, sizes.groups, item.padded), "float32")
        words, table = cut.array((phases * WORDS,), "int32"), cut.array((entries * 4,), "int32")

        def launch_parts(code, bias, residuals, to, pitch, fours):
            launch(
                tile_program(kind, item.tile, vector, code), grid, x, table, words, flat(weights), bias, residuals, to,
                *sizes.x, sizes.seen, *one.strides, *sizes.out[1:4], *one.spacing, pitch, sizes.made, item.padded,
                item.steps, sizes.groups, split.parts, split.run, math.prod(case.out), fours, alpha, beta,
            )  # fmt: skip

        launch_sums(case, split, sizes.made, launch_parts, biases, residuals, out, scratch)

    if case.op == "conv3d":
        return lambda x, kernel, bias, residuals, out, scratch, *params: run(x, kernel, bias, residuals, out, scratch)
    return lambda x, kernel, bias, out, scratch, *params: run(x, kernel, bias, absent("float32"), out, scratch)
