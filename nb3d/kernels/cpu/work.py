"""Pieces of convolution in flight: weights packed for them, scratch for their workers, one launch for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nb3d.kernels.cpu import words as word
from nb3d.kernels.cpu.arrays import CACHE_LINE, address, aligned_zeros, round_up
from nb3d.kernels.cpu.correlation import correlate
from nb3d.kernels.cpu.epilogue import finish_address
from nb3d.kernels.cpu.launch import launch
from nb3d.kernels.cpu.microkernel import tile
from nb3d.kernels.cpu.pieces import Work

ALONE = 100_000  # multiply-adds below which a second thread costs more than it brings


def _packed_size(work: Work) -> int:
    """Bytes of the packed weights of a piece."""
    return round_up(work.packed_values * int(work.words[word.SIZE]))


def pack(works: Sequence[Work], kernel: np.ndarray) -> np.ndarray:
    """Packs ``kernel (kd, kh, kw, channels, filters)`` as ``[bundle][block][tap][channel][width]``, padded with zeros.

    Of every piece one after the other, each from a cache line on; blocks are as wide as a register tile.
    """
    dtype = kernel.dtype
    packed = aligned_zeros((sum(map(_packed_size, works)) // dtype.itemsize,), dtype)
    begin = 0
    for work in works:
        piece, width, blocks, bundles = work.piece, work.width, work.blocks, len(work.piece.bundles)
        chosen = kernel[np.ix_(*([index for index, _ in axis] for axis in piece.taps))]
        run = int(np.prod(chosen.shape[:4]))
        flat = chosen.reshape(run, bundles, piece.filters)
        target = packed[begin : begin + work.packed_values].reshape(bundles, blocks, run, width)
        for block in range(blocks):
            part = flat[:, :, block * width : (block + 1) * width]
            target[:, block, :, : part.shape[2]] = part.transpose(1, 0, 2)
        begin += _packed_size(work) // dtype.itemsize
    return packed


def scratch_of(works: Sequence[Work], threads: int) -> int:
    """Returns the bytes of scratch that pieces, run one after the other, need on so many threads."""
    return max(work.scratch * min(threads, work.tasks) for work in works) + CACHE_LINE


def _tiles_of(work: Work) -> tuple[int, int]:
    """Returns the addresses of the two register tiles of a piece; the second one has one row more."""
    rows, uneven = divmod(work.piece.counts[2], int(work.words[word.TILES]))
    form = work.columns, work.piece.dtype, work.piece.spread, work.lanes
    even = tile(rows, *form).address
    return even, tile(rows + 1, *form).address if uneven else even


class Runner:
    """Pieces with compiled tiles and write-out: called with arrays, it fills in their addresses and launches."""

    def __init__(
        self, works: Sequence[Work], activation: int, alpha: float, beta: float, residual: bool = False
    ) -> None:
        self._numbers = np.array([alpha, beta], np.float64)
        self._task = correlate.address
        self._works: list[tuple[Work, np.ndarray, int]] = []
        begin = 0
        for work in works:
            words = work.words.copy()
            words[word.FINISH] = finish_address(activation, work.piece.dtype, residual)
            words[word.TILE], words[word.TILE_MORE] = _tiles_of(work)
            self._works.append((work, words, begin))
            begin += _packed_size(work)

    def __call__(
        self, x: np.ndarray, packed: np.ndarray, bias: np.ndarray, residual: np.ndarray, out: np.ndarray,
        scratch: np.ndarray,
    ) -> None:  # fmt: skip
        """Computes the pieces, on as many workers as there are threads and scratch."""
        begin = address(scratch)
        aligned = round_up(begin)
        for work, template, packed_at in self._works:
            words = template.copy()
            words[word.X] = address(x)
            words[word.B] = address(packed) + packed_at
            words[word.BIAS] = address(bias)
            words[word.OUT] = address(out) + work.out_offset
            words[word.RESIDUAL] = address(residual) + work.out_offset if residual.size else 0
            words[word.SCRATCH] = aligned
            room = (begin + scratch.size - aligned) // work.scratch
            if room < 1:
                raise ValueError(f"Expected at least {work.scratch + CACHE_LINE} bytes of scratch, got {scratch.size}.")
            launch(self._task, words, self._numbers, work.tasks, room if work.macs > ALONE else 1)
