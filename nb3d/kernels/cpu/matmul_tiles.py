"""matmul: products of matrices that are both computed, as attention has them, in register tiles.

    out[n, m, :] = sum over k of  a[n, m, k] * b[n, k, :]        matrices contiguous, batches broadcast by offsets

A task is one batch, one block of columns and a part of the rows:

    for every chunk of k:       the block of b goes into a slab of this worker, padded with zeros to whole vectors
        for every tile of rows:     tile (+)= A x B in registers (``microkernel.py``), straight on the rows of a

Copying costs ``1 / rows`` of the product, so tasks have at least `LEAST_ROWS` rows where there are so many. Sums run
over k in order, whatever the tasks. Scratch: one chunk of a block per worker, which leaves room in L2.

Measured on one core of a Zen 4, of 118 GFLOP/s, beside NumPy's OpenBLAS: scores of 196 and 512 tokens, 32 and 64
channels, 59 and 63 (79 and 71); their products with the values 96 and 78 (87 and 64); 27 tokens of 16 channels 38 (69).
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cpu.arrays import CACHE_LINE, address, round_up
from nb3d.kernels.cpu.compile import task
from nb3d.kernels.cpu.launch import launch
from nb3d.kernels.cpu.memory import call, clear, copy, pointer
from nb3d.kernels.cpu.microkernel import most_rows, tile
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.pieces import form_of
from nb3d.kernels.cpu.work import ALONE

SLAB_BYTES = 128 * 1024
LEAST_ROWS = 96

(
    A, A_AT, B, B_AT, OUT, M, K, N, SIZE, WIDTH, BLOCKS, PARTS, CHUNK, TILES, TILE, TILE_ROWS, TILE_MORE, SCRATCH,
    SCRATCH_WORKER,
) = range(19)  # fmt: skip


def accepts(case: Case) -> str | None:
    """Accepts floats."""
    return "an array is empty" if 0 in case.inputs[1] else why_not_floats(case)


@task
def _product(words, numbers, index, worker):
    size, width, depth, across = words[SIZE], words[WIDTH], words[K], words[N]
    part = index % words[PARTS]
    block = index // words[PARTS] % words[BLOCKS]
    batch = index // (words[PARTS] * words[BLOCKS])
    first, last = part * words[TILES] // words[PARTS], (part + 1) * words[TILES] // words[PARTS]
    a = words[A] + pointer(words[A_AT], np.int64)[batch] * size
    b = words[B] + (pointer(words[B_AT], np.int64)[batch] + block * width) * size
    c = words[OUT] + (batch * words[M] * across + block * width) * size
    columns = min(width, across - block * width)
    run = words[SCRATCH] + worker * words[SCRATCH_WORKER]  # the table of the only run: it begins at the beginning
    clear(run, 16)
    slab = run + CACHE_LINE
    for begin in range(0, depth, words[CHUNK]):
        length = min(words[CHUNK], depth - begin)
        for k in range(length):
            copy(slab + k * width * size, b + (begin + k) * across * size, columns * size)
            if columns < width:
                clear(slab + (k * width + columns) * size, (width - columns) * size)
        top = first * words[M] // words[TILES]
        for t in range(first, last):
            bottom = (t + 1) * words[M] // words[TILES]
            kernel = words[TILE] if bottom - top == words[TILE_ROWS] else words[TILE_MORE]
            call(
                kernel, a + (top * depth + begin) * size, depth * size, run, 1, length, slab, c + top * across * size,
                across * size, np.int64(begin > 0), columns, 0,
            )  # fmt: skip
            top = bottom


def _form(case: Case) -> tuple[int, int, int]:
    """Returns vectors per tile, values per vector, and how many k make a chunk."""
    columns, lanes = form_of(case.out[-1], case.out[-2], case.out_dtype)
    values = SLAB_BYTES // (columns * lanes * np.dtype(case.out_dtype).itemsize)
    return columns, lanes, min(values, case.inputs[0][-1])


def _slab(case: Case) -> int:
    """Returns the bytes of one worker's scratch."""
    columns, lanes, chunk = _form(case)
    return round_up(CACHE_LINE + chunk * columns * lanes * np.dtype(case.out_dtype).itemsize)


def _parts(case: Case) -> int:
    """Returns into how many parts the rows are divided."""
    return max(case.out[-2] // LEAST_ROWS, 1)


def scratch(case: Case, threads: int) -> int:
    """Every worker has a slab."""
    return _slab(case) * threads + CACHE_LINE


def _offsets(shape: tuple[int, ...], batch: tuple[int, ...]) -> np.ndarray:
    """Returns where the matrix of every batch begins, in values."""
    leading = shape[:-2]
    whole = np.arange(int(np.prod(leading, dtype=np.int64))).reshape(leading) * (shape[-2] * shape[-1])
    return np.ascontiguousarray(np.broadcast_to(whole, batch).reshape(-1), np.int64)


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    (rows, across), depth = case.out[-2:], case.inputs[0][-1]
    size = np.dtype(case.out_dtype).itemsize
    columns, lanes, chunk = _form(case)
    width, batch = columns * lanes, case.out[:-2]
    tiles = -(-rows // most_rows(columns))
    even, uneven = divmod(rows, tiles)
    form = columns, case.out_dtype, (0, 0), lanes
    kernel = tile(even, *form).address
    more = tile(even + 1, *form).address if uneven else kernel
    a_at, b_at = (_offsets(shape, batch) for shape in case.inputs)
    blocks, parts, slab = -(-across // width), _parts(case), _slab(case)
    tasks = int(np.prod(batch, dtype=np.int64)) * blocks * parts
    alone = tasks * rows * depth * width // parts <= ALONE
    product, numbers = _product.address, np.zeros(1)

    def matmul(a, b, out, scratch):
        begin = round_up(address(scratch))
        workers = (address(scratch) + scratch.size - begin) // slab
        if workers < 1:
            raise ValueError(f"Expected at least {slab + CACHE_LINE} bytes of scratch, got {scratch.size}.")
        words = np.array(
            [
                address(a), address(a_at), address(b), address(b_at), address(out), rows, depth, across, size, width,
                blocks, parts, chunk, tiles, kernel, even, more, begin, slab,
            ],
            np.int64,
        )  # fmt: skip
        launch(product, words, numbers, tasks, 1 if alone else workers)

    return matmul
