"""The task under every convolution: a block of output rows as sums of register tiles, straight on NDHWC.

    out[n, d, h, w, f] = sum over taps, c of  x[n, d*SD + off_d, h*SH + off_h, w*SW + off_w, c] * B[tap, c, f]

There is no im2col: in NDHWC the values under ``kw * ci`` are one contiguous run, so a block of voxels times a block of
filters is a sum of ``KD * KH`` small matrix products whose rows lie ``SW * ci`` values apart. Taps are offsets, so the
same task computes dilated taps (each its own run), the phases of a transposed convolution (unit stride, few taps), and
depthwise convolutions (every tap a run of length 1, the input moving with the block of filters). A table says for every
block of filters where it begins in the input's voxel, so groups are blocks whose input moves, and where in the output,
so a transposed convolution whose stride is its kernel is one product whose blocks go to several voxels.

A task is a block of ``ROWS`` output rows of one depth and one segment of their width, times a part of the filters:

    the input rows it needs go into a slab of this worker, zeros left and right of the volume included (skipped when no
        tap leaves the volume sideways); rows beyond the volume are left out of the table of runs
    for every block of filters:                     weights of one block and chunk stay in L2, or L1 if small
        for every chunk of runs, row, tile of voxels:   tile (+)= A x B in registers, beginning with the bias
        after the last chunk: residual and activation on the row while it is in L1

Large results that are written once, in whole cache lines, with no activation or a ReLU, leave the registers around the
caches (``work.py``): 64^3 voxels, 32 to 64 channels, 1x1x1, 5.9 ms instead of 9.2 on two cores.
Copying costs under 2 % of the time at 32 filters, less above. A sum runs over the bias, then (kd, kh, kw, c), whatever
the blocks, so results do not depend on the number of threads.

Measured, 3x3x3 on 64^3 x 32 to 16^3 x 128 voxels and channels: 92 to 99 % of what the tile alone reaches in L1 (118
GFLOP/s per core of a Zen 4). Rejected: weights in chunks for L1 (16 KB), which visits the output too often: 8 % slower;
a depthwise kernel of plain loops, its output in L1: 4 times slower; a pass for the bias: twice slower where filters are
few; a slab per group, its channels picked out voxel by voxel, with whole vectors: 1.9 times slower at 8 channels a
group; several groups or voxels in one vector with zero weights between them: zero times NaN would spread.

Few filters take half or quarter vectors: 8 filters 79 % of peak, bound by one load per multiply-add (whole vectors
45 %). 64 channels in 8 groups 68 %; in 16 and 32 groups, several in a vector, 68 and 45 % (one by one 30 and 13 %).
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cpu import words as word
from nb3d.kernels.cpu.compile import helper, task
from nb3d.kernels.cpu.memory import address_of, call, clear, copy, pointer


@helper
def _fill_row(words, slab, source, first, voxels):
    """Copies ``voxels`` of an input row from voxel ``first`` on; voxels outside the volume become zeros."""
    voxel = words[word.X_W]
    left = min(max(-first, 0), voxels)
    inside = max(min(voxels - left, words[word.IN_W] - (first + left)), 0)
    if left > 0:
        clear(slab, left * voxel)
    copy(slab + left * voxel, source + (first + left) * voxel, inside * voxel)
    right = voxels - left - inside
    if right > 0:
        clear(slab + (left + inside) * voxel, right * voxel)


@helper
def _is_needed(words, row, rows):
    """Whether some tap of some of the output rows sees this row of the slab."""
    taps = word.OFFSETS + words[word.KD]
    for kh in range(words[word.KH]):
        distance = row - (words[taps + kh] - words[taps])
        if distance >= 0 and distance % words[word.SH] == 0 and distance // words[word.SH] < rows:
            return True
    return False


@helper
def _fill_slab(words, slab, volume, depth, row, rows, first, voxels):
    """Copies the input rows under ``rows`` output rows, for every tap in depth."""
    taps = word.OFFSETS + words[word.KD]
    high = (rows - 1) * words[word.SH] + words[taps + words[word.KH] - 1] - words[taps] + 1
    for kd in range(words[word.KD]):
        z = depth + words[word.OFFSETS + kd]
        if z < 0 or z >= words[word.IN_D]:
            continue
        for r in range(high):
            y = row + words[taps] + r
            if y < 0 or y >= words[word.IN_H] or not _is_needed(words, r, rows):
                continue
            source = volume + z * words[word.X_D] + y * words[word.X_H]
            _fill_row(words, slab + kd * words[word.PLANE] + r * words[word.PITCH], source, first, voxels)


@helper
def _list_runs(words, runs, depth, row, plane, pitch, voxel):
    """Writes where every run of an output row begins, in A and in B, leaving out taps beyond the volume."""
    table = pointer(runs, np.int64)
    taps_h = word.OFFSETS + words[word.KD]
    taps_w = taps_h + words[word.KH]
    count = 0
    for kd in range(words[word.KD]):
        z = depth + words[word.OFFSETS + kd]
        if z < 0 or z >= words[word.IN_D]:
            continue
        # In the slab depth taps lie one after the other, in the volume as far apart as their offsets.
        at_depth = (words[word.OFFSETS + kd] - words[word.OFFSETS]) * plane if words[word.DIRECT] else kd * plane
        for kh in range(words[word.KH]):
            y = row + words[taps_h + kh]
            if y < 0 or y >= words[word.IN_H]:
                continue
            at_row = at_depth + (words[taps_h + kh] - words[taps_h]) * pitch
            for kw in range(words[word.SPLIT]):
                table[2 * count] = at_row + (words[taps_w + kw] - words[taps_w]) * voxel
                table[2 * count + 1] = ((kd * words[word.KH] + kh) * words[word.KW] + kw) * words[word.B_TAP]
                count += 1
    return count


@helper
def _row_of_tiles(words, a, lda, runs, count, b, c, accumulate, filters, bias, tile, last):
    """One output row of a segment: its tiles, side by side. ``a`` and ``c`` belong to the first voxel."""
    begin = tile * words[word.COUNT_W] // words[word.TILES]
    first = begin
    for t in range(tile, last):
        end = (t + 1) * words[word.COUNT_W] // words[word.TILES]
        kernel = words[word.TILE] if end - begin == words[word.TILE_ROWS] else words[word.TILE_MORE]
        at = begin - first
        call(
            kernel, a + at * lda, lda, runs, count, words[word.LENGTH], b, c + at * words[word.OUT_W],
            words[word.OUT_W], accumulate, filters, bias,
        )  # fmt: skip
        begin = end


@task
def correlate(words, numbers, index, worker):
    """Computes block ``index``."""
    # Which one: part of the filters, then batch, depth, rows, segment, the last one changing fastest.
    tiles = words[word.TILES]
    segments = (tiles + words[word.SEGMENT] - 1) // words[word.SEGMENT]
    row_blocks = (words[word.COUNT_H] + words[word.ROWS] - 1) // words[word.ROWS]
    segment = index % segments
    index //= segments
    h = index % row_blocks * words[word.ROWS]
    index //= row_blocks
    d = index % words[word.COUNT_D]
    index //= words[word.COUNT_D]
    n = index % words[word.COUNT_N]
    part = index // words[word.COUNT_N]

    rows = min(words[word.ROWS], words[word.COUNT_H] - h)
    tile = segment * words[word.SEGMENT]
    last = min(tile + words[word.SEGMENT], tiles)
    w = tile * words[word.COUNT_W] // tiles
    width = last * words[word.COUNT_W] // tiles - w
    taps_h = word.OFFSETS + words[word.KD]
    taps_w = taps_h + words[word.KH]
    depth, row = d * words[word.SD], h * words[word.SH]
    first = w * words[word.SW] + words[taps_w]
    volume = words[word.X] + n * words[word.X_N]

    # Scratch of this worker: counts of runs per row, the runs, the slab.
    runs_most = words[word.KD] * words[word.KH] * words[word.SPLIT]
    scratch = words[word.SCRATCH] + worker * words[word.SCRATCH_WORKER]
    counts = pointer(scratch, np.int64)
    runs = scratch + words[word.ROWS] * 8
    voxel = words[word.X_W]
    if words[word.DIRECT]:
        plane, pitch = words[word.X_D], words[word.X_H]
        a = volume + (depth + words[word.OFFSETS]) * plane + (row + words[taps_h]) * pitch + first * voxel
    else:
        plane, pitch = words[word.PLANE], words[word.PITCH]
        a = runs + words[word.ROWS] * runs_most * 16
        a = (a + 63) // 64 * 64
        voxels = (width - 1) * words[word.SW] + words[taps_w + words[word.KW] - 1] - words[taps_w] + 1
        _fill_slab(words, a, volume, depth, row, rows, first, voxels)
    for r in range(rows):
        counts[r] = _list_runs(words, runs + r * runs_most * 16, depth, row + r * words[word.SH], plane, pitch, voxel)

    lda = words[word.SW] * voxel
    out = words[word.OUT] + n * words[word.OUT_N] + d * words[word.OUT_D]
    out += h * words[word.OUT_H] + w * words[word.OUT_W]
    for block in range(part * words[word.PART], min((part + 1) * words[word.PART], words[word.BLOCKS])):
        entry = words[word.TABLE] + block * word.BLOCK_WORDS
        b = words[word.B] + words[entry + word.BLOCK_B]
        filters = words[entry + word.BLOCK_FILTERS]
        bias = words[word.BIAS] + words[entry + word.BLOCK_BIAS] if words[word.BIAS] else 0
        for chunk in range(0, max(runs_most, 1), words[word.CHUNK]):
            for r in range(rows):
                more = max(min(counts[r] - chunk, words[word.CHUNK]), 0)
                if more == 0 and chunk > 0:
                    continue
                c = out + r * words[word.OUT_H] + words[entry + word.BLOCK_OUT]
                table = runs + (r * runs_most + chunk) * 16
                a_row = a + words[entry + word.BLOCK_A] + r * words[word.SH] * pitch
                _row_of_tiles(words, a_row, lda, table, more, b, c, np.int64(chunk > 0), filters, bias, tile, last)
                if words[word.FINISH] and counts[r] <= chunk + words[word.CHUNK]:
                    residual = words[word.RESIDUAL] + (c - words[word.OUT]) if words[word.RESIDUAL] else 0
                    call(words[word.FINISH], c, words[word.OUT_W], width, filters, residual, address_of(numbers))
