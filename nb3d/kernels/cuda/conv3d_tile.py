"""conv3d, conv3d_transpose and dense by tiles in float32: for every precision, where nothing else is faster."""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cuda.splits import FLOAT32
from nb3d.kernels.cuda.sums import slices as slices
from nb3d.kernels.cuda.tiles import Kind, Tile, serve
from nb3d.kernels.policy import PRECISIONS

TILES = (
    Tile(128, 64, 8, 8, 128, 0.9 * FLOAT32, 3), Tile(64, 64, 4, 8, 128, 0.8 * FLOAT32, 4),
    Tile(32, 64, 4, 4, 128, 0.65 * FLOAT32, 6), Tile(16, 64, 4, 4, 64, 0.6 * FLOAT32, 10),
    Tile(128, 32, 8, 4, 128, 0.8 * FLOAT32, 4), Tile(64, 32, 4, 4, 128, 0.65 * FLOAT32, 6),
    Tile(128, 16, 8, 4, 64, 0.75 * FLOAT32, 6),
)  # fmt: skip
TILE = Kind("float32", PRECISIONS, TILES, 1, np.ascontiguousarray, 16)

accepts, declines, prepare, scratch, load = serve(TILE)
