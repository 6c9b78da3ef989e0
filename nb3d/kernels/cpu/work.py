"""Pieces of convolution in flight: weights packed for them, scratch for their workers, one launch for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nb3d.kernels.activations import Activation, is_plain_relu
from nb3d.kernels.cpu import words as word
from nb3d.kernels.cpu.arrays import CACHE_LINE, address, aligned_zeros, round_up
from nb3d.kernels.cpu.correlation import correlate
from nb3d.kernels.cpu.epilogue import finish_address
from nb3d.kernels.cpu.launch import launch
from nb3d.kernels.cpu.microkernel import KEPT, SENT, SENT_RELU, tile
from nb3d.kernels.cpu.pieces import Work
from nb3d.kernels.cpu.streaming import streams

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


def _tiles_of(work: Work, tail: int) -> tuple[int, int]:
    """Returns the addresses of the two register tiles of a piece; the second one has one row more."""
    rows, uneven = divmod(work.piece.counts[2], int(work.words[word.TILES]))
    form = work.columns, work.piece.dtype, work.piece.spread, work.lanes, tail
    even = tile(rows, *form).address
    return even, tile(rows + 1, *form).address if uneven else even


def _sends(work: Work) -> bool:
    """Returns whether results go around the caches: large ones, written once and a whole cache line at a time."""
    words = work.words
    entries = [int(words[word.TABLE]) + block * word.BLOCK_WORDS for block in range(int(words[word.BLOCKS]))]
    distances = [*(words[axis] for axis in (word.OUT_N, word.OUT_D, word.OUT_H, word.OUT_W)), work.out_offset]
    distances += [work.lanes * words[word.SIZE], *(words[entry + word.BLOCK_OUT] for entry in entries)]
    once = words[word.KD] * words[word.KH] * words[word.SPLIT] <= words[word.CHUNK]
    aligned = all(distance % CACHE_LINE == 0 for distance in distances)
    return bool(once and aligned and streams(int(words[word.OUT_N] * words[word.COUNT_N]), False))


def _tail(activation: int, alpha: float, beta: float, residual: bool) -> int:
    """Returns what a register tile that sends its sums does before, ``KEPT`` if that is not all there is to do."""
    if residual:
        return KEPT
    if is_plain_relu(activation, alpha, beta):
        return SENT_RELU
    return SENT if activation == Activation.LINEAR else KEPT


class Runner:
    """Pieces with compiled tiles and write-out: called with arrays, it fills in their addresses and launches."""

    def __init__(
        self, works: Sequence[Work], activation: int, alpha: float, beta: float, residual: bool = False
    ) -> None:
        self._numbers = np.array([alpha, beta], np.float64)
        self._finish = activation, residual
        self._works: list[tuple[Work, int, dict[int, np.ndarray], int]] = []
        begin, tail = 0, _tail(activation, alpha, beta, residual)
        for work in works:
            last = tail if tail != KEPT and _sends(work) else KEPT
            self._works.append((work, last, {last: self._words(work, last)}, begin))
            begin += _packed_size(work)
        self._task = correlate.address

    def _words(self, work: Work, tail: int) -> np.ndarray:
        """The words of a piece but for addresses of arrays, its functions compiled."""
        words, (activation, residual) = work.words.copy(), self._finish
        words[word.FINISH] = finish_address(activation, work.piece.dtype, residual) if tail == KEPT else 0
        words[word.TILE], words[word.TILE_MORE] = _tiles_of(work, tail)
        return words

    def __call__(
        self, x: np.ndarray, packed: np.ndarray, bias: np.ndarray, residual: np.ndarray, out: np.ndarray,
        scratch: np.ndarray,
    ) -> None:  # fmt: skip
        """Computes the pieces, on as many workers as there are threads and scratch."""
        begin = address(scratch)
        aligned = round_up(begin)
        for work, tail, forms, packed_at in self._works:
            last = KEPT if address(out) % CACHE_LINE else tail
            if last not in forms:
                forms[last] = self._words(work, last)
            words = forms[last].copy()
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
