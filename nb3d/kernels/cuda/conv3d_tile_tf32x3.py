"""conv3d, conv3d_transpose and dense by tiles, three products of TF32 for one: for the precision ``fast_float32``."""

from __future__ import annotations

from functools import partial

from nb3d.kernels.cuda.conv3d_tile import TILE
from nb3d.kernels.cuda.sums import slices as slices
from nb3d.kernels.cuda.tiles import Kind, Tile, packed_tf32, serve

TILES = (
    Tile(128, 64, 32, 64, 128, 65e12, 2), Tile(64, 64, 16, 64, 128, 55e12, 5), Tile(128, 32, 32, 32, 128, 50e12, 4),
    Tile(64, 32, 16, 32, 128, 45e12, 6),
)  # fmt: skip
TILE_TF32X3 = Kind("tf32x3", ("fast_float32",), TILES, 2, partial(packed_tf32, pieces=2), 32, TILE)

accepts, declines, prepare, scratch, load = serve(TILE_TF32X3)
