"""conv3d, conv3d_transpose and dense by tiles on tensor cores, rounded to TF32: also for the precision ``bfloat16``.

BF16 would be no faster: tensors are float32, and the last cache is what limits these tiles.
"""

from __future__ import annotations

from nb3d.kernels.cuda.conv3d_tile import TILE
from nb3d.kernels.cuda.sums import slices as slices
from nb3d.kernels.cuda.tiles import Kind, Tile, packed_tf32, serve

TILES = (
    Tile(128, 64, 32, 64, 128, 110e12, 4), Tile(64, 64, 16, 64, 128, 90e12, 5), Tile(128, 32, 32, 32, 128, 80e12, 5),
    Tile(64, 32, 16, 32, 128, 60e12, 6),
)  # fmt: skip
TILE_TF32 = Kind("tf32", ("tf32", "bfloat16"), TILES, 1, packed_tf32, 32, TILE)

accepts, declines, prepare, scratch, load = serve(TILE_TF32)
