"""Divided sums, and the larger blocks that only large launches take, compute what the reference computes.

On the interpreter, and where there is one on the GPU.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from nb3d.kernels import devices, table
from nb3d.kernels.activations import Activation
from nb3d.kernels.cuda import conv3d_halo, conv3d_mma, tiles
from nb3d.kernels.cuda.halos import TILE_KINDS
from nb3d.kernels.cuda.launches import MOST_BLOCKS
from nb3d.kernels.cuda.splits import MOST_PARTS, MULTIPROCESSORS, Work, best_split, undivided
from tests.cuda.divided import divide
from tests.cuda.interpreted import Interpreted, compute_on
from tests.cuda.precisions import expected
from tests.cuda.wheels import needed
from tests.kernels.cases import conv, transposed
from tests.kernels.compare import assert_close
from tests.kernels.example import BARE, plain

KERNELS = [
    pytest.param(item, id=item.name)
    for item in table.implementations("conv3d", "cuda")
    if item.name not in ("plain", "stem", "depthwise")
]
SILU = int(Activation.SILU)


def tile_kernels(op: str):
    return [pytest.param(item, id=item.name) for item in table.implementations(op, "cuda") if "tile" in item.name]


def work(blocks: int, pieces: int) -> Work:
    return Work(blocks, pieces, flops=1e6, traffic=1e4, speed=40e12, warps=4, resident=3)


NO_GPU = pytest.mark.skipif(not devices.CUDA.available()[0], reason=f"no GPU: {devices.CUDA.available()[1]}")


@pytest.fixture(params=["interpreter", pytest.param("GPU", marks=[pytest.mark.gpu, NO_GPU])])
def machine(request):
    return Interpreted() if request.param == "interpreter" else devices.gpu()


def check(machine, implementation, example) -> None:
    assert_close(example, compute_on(machine, implementation, example), expected(implementation.name, example))


@needed
@pytest.mark.parametrize("implementation", KERNELS)
class TestConvolutions:
    """40 channels are three chunks of the halo kernels, and 68 steps of the tiles."""

    def test_parts_of_unequal_size(self, machine, implementation, monkeypatch):
        divide(monkeypatch, *((2, 40) if "tile" in implementation.name else (2, 2)))
        check(machine, implementation, conv((2, 3, 4), 40, 12, residual=True, activation=SILU, note="divided"))

    def test_filters_that_are_no_fours(self, machine, implementation, monkeypatch):
        divide(monkeypatch, *((3, 23) if "tile" in implementation.name else (3, 1)))
        check(machine, implementation, conv((3, 1, 2), 40, 7, residual=True, note="divided"))

    def test_64_filters_of_a_block(self, machine, implementation, monkeypatch):
        divide(monkeypatch, 1, 100, filters=64)
        check(machine, implementation, conv((2, 3, 9), 8, 68, residual=True, kernel=(1, 2, 3), note="wide"))

    def test_divided_and_wide_in_any_order_of_warps(self, machine, implementation, monkeypatch):
        divide(monkeypatch, *((2, 3) if "tile" in implementation.name else (2, 1)), filters=64)
        example = conv((2, 2, 3), 20, 66, kernel=(1, 2, 2), bias=False, note="divided")
        check(machine, implementation, example)
        other = Interpreted(seed=1) if isinstance(machine, Interpreted) else machine
        first, second = (compute_on(run, implementation, example) for run in (machine, other))
        np.testing.assert_array_equal(first, second)


@needed
@pytest.mark.parametrize("filters", [5, 40])
@pytest.mark.parametrize(
    ("channels", "kernel", "strides"),
    [
        (1, (3, 3, 3), (1, 1, 1)), (2, (1, 5, 7), (1, 1, 1)), (3, (3, 3, 3), (1, 1, 1)), (3, (3, 4, 3), (2, 1, 2)),
        (4, (2, 2, 2), (3, 3, 3)), (4, (1, 1, 1), (1, 1, 1)),
    ],
)  # fmt: skip
def test_stems(machine, channels, kernel, strides, filters):
    stem = next(item for item in table.implementations("conv3d", "cuda") if item.name == "stem")
    example = conv((5, 9, 11), channels, filters, kernel, strides, residual=True, activation=SILU, note="stem")
    check(machine, stem, example)


@needed
class TestTiles:
    @pytest.mark.parametrize("implementation", tile_kernels("conv3d_transpose"))
    def test_phases_of_unequal_length_are_divided_alike(self, machine, implementation, monkeypatch):
        example = transposed((2, 3, 2), 20, 6, (3, 2, 3), (2, 2, 2), activation=SILU, note="divided")
        divide(monkeypatch, 2, 3)  # phases of 8 and 4 taps: 10 and 5 steps; those of 2 taps end in the first part
        check(machine, implementation, example)

    @pytest.mark.parametrize("implementation", tile_kernels("dense"))
    def test_dense_rows_are_divided(self, machine, implementation, monkeypatch):
        divide(monkeypatch, 5, 3)
        example = plain("dense", ((3, 200), (200, 37), (37,)), (3, 37), BARE, length=200, note="divided")
        check(machine, implementation, example)

    @pytest.mark.parametrize(
        ("name", "tile"),
        [
            pytest.param("tile" if kind.name == "float32" else f"tile_{kind.name}", tile,
                         id=f"{kind.name} {tile.rows} by {tile.columns}")
            for kind in TILE_KINDS for tile in kind.tiles
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("channels", [3, 8])
    def test_every_tile(self, machine, name, tile, channels, monkeypatch):
        monkeypatch.setattr(tiles, "layout", lambda kind, case: tiles.layout_with(kind, tile, case))
        implementation = next(item for item in table.implementations("conv3d", "cuda") if item.name == name)
        for filters in (tile.columns - 3, 68):
            example = conv((3, 5, 9), channels, filters, (2, 2, 2), residual=True, activation=SILU, note="tile")
            check(machine, implementation, example)


class TestBestSplit:
    @pytest.mark.parametrize("pieces", [1, 2, 7, 864])
    @pytest.mark.parametrize("blocks", [1, 16, 131, 4096])
    def test_every_piece_is_in_one_part(self, blocks, pieces):
        split = best_split(work(blocks, pieces), 1 << 20)
        assert (split.parts - 1) * split.run < pieces <= split.parts * split.run
        assert split.parts <= MOST_PARTS

    def test_few_blocks_are_divided_and_many_are_not(self):
        few, many = work(16, 100), work(50 * MULTIPROCESSORS, 100)
        assert best_split(few, 1 << 18).parts >= 8
        assert best_split(few, 1 << 18).seconds < undivided(few).seconds / 4
        assert best_split(many, 1 << 30).parts == 1

    def test_large_results_are_divided_less(self):
        few = work(16, 100)
        assert best_split(few, 1 << 26).parts < best_split(few, 1 << 18).parts

    def test_phases_and_parts_fit_the_grid(self):
        few = transposed((1, 1, 2), 512, 8, (32, 32, 16), (32, 32, 16)).case
        many = transposed((1, 1, 1), 4, 8, (64, 64, 32), (64, 64, 32)).case
        assert tiles.why_not(few) is None
        layout = tiles.layout(TILE_KINDS[0], few)
        assert len(layout.phases) * layout.split.parts <= MOST_BLOCKS[2]
        assert tiles.why_not(many) == "has more than 65535 phases or groups"
        assert table.select(many, "cuda").implementation.name == "plain"

    def test_no_piece_is_one_part(self):
        assert best_split(work(4, 0), 1000).parts == 1

    def test_scratch_is_that_of_the_parts(self):
        case = conv((8, 8, 8), 256, 256).case
        split = conv3d_halo.split(case)
        assert conv3d_halo.scratch(case, 1) == split.parts * math.prod(case.out) * 4 > 0
        assert conv3d_halo.scratch(conv((64, 64, 64), 32, 32).case, 1) == 0

    def test_wide_blocks_are_for_many_filters(self):
        for kind in (conv3d_mma.TF32, conv3d_mma.TF32X3, conv3d_mma.BF16):
            assert conv3d_mma.choice(kind, conv((64, 64, 64), 64, 64).case)[0] == 64
            assert conv3d_mma.choice(kind, conv((64, 64, 64), 64, 32).case)[0] == 32
