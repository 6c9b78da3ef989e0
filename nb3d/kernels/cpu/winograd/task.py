"""The task of Winograd's convolution: a block of tiles, from voxels to voxels, without leaving the caches.

A tile is ``m_h * m_w * m_d`` output voxels; it needs ``n = m + k - 1`` input voxels per axis and has as many
frequencies. A block is a few tens of tiles, one after the other along the depth, times a part of the filters. (In large
volumes along a segment of the depth, so that the next row of tiles finds the input that both see in L3: 128^3 x 64
voxels to 32 278 ms instead of 378.)

    for every tile, chunk of channels (a vector of them):    input transform -> V[chunk][tile][frequency][lane]
    for every block of filters (what the register tile holds):
        for every frequency, some tiles:    S[tile][frequency][filter] = sum over chunk, lane of  V * U
        for every tile, vector of filters:  output transform, bias, residual, activation -> voxels

``U[block][frequency][channel][filter]`` is read once per block of tiles, from L3 as a rule: V and S of a block fill L2,
so that as many tiles as possible share a reading. What belongs to a tile lies together: transforms read and write
one stream. (Frequency by frequency, ``V[frequency][tile]``, a tile's stores go to 216 places: 16^3 x 128 took 1.8 times
as long, with the places an odd number of cache lines apart.) Tiles lie such an odd number apart.
Weights of many channels and filters in few tiles are *fresh*: kept as they are and transformed in the task, a slice of
the channels at a time, whose U fits L2; products are added to those of the slice before. That reads 3 to 8 times fewer
bytes from memory and keeps as many fewer: 4x14x14 x 512 to 512 holds 28 MB instead of 151, and takes 21 ms instead of
24. Within U four channels of a frequency lie side by side, so that a transform writes to few pages; weights are asked
for 32 KB ahead (8x8x8 x 256 to 256: 4.1 ms without, 3.1 with).
Large results go around the caches, where they consist of whole cache lines (64^3 x 32 to 32: 17.3 ms instead of 19.8;
the whole U-Net at 96^3 a twentieth less).
Beyond the volume voxels are zero and results go nowhere (``transforms.py``); the tensor is never padded or copied.
A dilated convolution is as many plain ones as there are residues of voxels modulo the dilation: tiles of every
``STEP``-th voxel.

A result depends on its own tile only, summed over channels in order: the bits are the same for any number of threads,
block and neighbour in the batch. NaN and infinities spread to the voxels of all tiles that read them.

Measured on a core of a Zen 4 (118 GFLOP/s), F(4,3)^3: products alone reach 86 to 88 % of peak from 32 to 64 channels,
71 to 74 % at 128 (14 MB of U), 63 % at 8 channels to 16. Time in input transform, products, output transform: 26, 57,
17 % at 64^3 x 32 channels; 16, 71, 13 % at 32^3 x 64; 18, 74, 8 % at 16^3 x 128; 24, 37, 39 % at 128^3, 8 to 16.
Scratch of a worker: 0.8 MB at 32 channels, 1.8 MB at 128. Rejected variants: ``dev/kernels/winograd.md``.
"""

from __future__ import annotations

import numpy as np

from nb3d.kernels.cpu.compile import helper, task
from nb3d.kernels.cpu.memory import address_of, call, clear, pointer
from nb3d.kernels.cpu.winograd import words as word


@helper
def _place_of(words, tile):
    """Batch, first output voxel along height, width and depth, and how many tiles follow along the depth.

    The depth changes fastest, within a segment of it. Voxels of one residue modulo the dilation see voxels of one
    residue: they have tiles of their own.
    """
    plane, volume = words[word.TILES_H] * words[word.TILES_W], words[word.TILES_H] * words[word.TILES_W]
    volume *= words[word.TILES_D]
    first = tile % volume // (plane * words[word.SEGMENT]) * words[word.SEGMENT]
    segment = min(words[word.SEGMENT], words[word.TILES_D] - first)
    at = tile % volume - first * plane
    tile //= volume
    left = segment - at % segment
    td = first + at % segment
    at //= segment
    x = at % words[word.TILES_W] * words[word.M_W] * words[word.STEP_W]
    y = at // words[word.TILES_W] * words[word.M_H] * words[word.STEP_H]
    x += tile % words[word.PHASES_W]
    tile //= words[word.PHASES_W]
    y += tile % words[word.PHASES_H]
    tile //= words[word.PHASES_H]
    z = td * words[word.M_D] * words[word.STEP_D] + tile % words[word.PHASES_D]
    return tile // words[word.PHASES_D], y, x, z, left


@helper
def _list_voxels(words, table, volume, y, x, zeros):
    """Writes the addresses of a tile's rows of voxels, then the steps along them; 0 outside the volume."""
    rows = pointer(table, np.int64)
    entries = words[word.N_H] * words[word.N_W]
    for i in range(words[word.N_H]):
        for j in range(words[word.N_W]):
            k, h, w = i * words[word.N_W] + j, y + i * words[word.STEP_H], x + j * words[word.STEP_W]
            inside = h >= 0 and h < words[word.IN_H] and w >= 0 and w < words[word.IN_W]
            rows[k] = volume + h * words[word.X_H] + w * words[word.X_W] if inside else zeros
            rows[entries + k] = words[word.X_D] * words[word.STEP_D] if inside else 0


@helper
def _list_results(words, table, volume, y, x, zeros, rubbish):
    """Writes the addresses of a tile's rows of results, the steps along them, and the addresses of the residual."""
    rows = pointer(table, np.int64)
    entries = words[word.M_H] * words[word.M_W]
    residual = words[word.RESIDUAL] - words[word.OUT]
    for i in range(words[word.M_H]):
        for j in range(words[word.M_W]):
            k, h, w = i * words[word.M_W] + j, y + i * words[word.STEP_H], x + j * words[word.STEP_W]
            inside = h < words[word.SIZE_H] and w < words[word.SIZE_W]
            at = volume + h * words[word.OUT_H] + w * words[word.OUT_W]
            rows[k] = at if inside else rubbish
            rows[entries + k] = words[word.OUT_D] * words[word.STEP_D] if inside else 0
            rows[2 * entries + k] = at + residual if inside else zeros


@helper
def _transform_inputs(words, scratch, group, first, last, chunk, chunks):
    """Voxels under the tiles ``first`` to ``last`` -> V, of some chunks of channels."""
    n_d, m_d = words[word.N_D], words[word.M_D]
    vector = words[word.LANES_IN] * words[word.SIZE]
    tile = first
    while tile < last:
        n, y, x, z, run = _place_of(words, tile)
        run = min(run, last - tile)
        y, x, z = y - words[word.P_H], x - words[word.P_W], z - words[word.P_D]
        volume = words[word.X] + n * words[word.X_N] + z * words[word.X_D]
        volume += group * words[word.CHANNELS] * words[word.SIZE] + chunk * vector
        phase = z % words[word.STEP_D]  # planes are counted among those of one residue
        depth = (words[word.IN_D] - phase + words[word.STEP_D] - 1) // words[word.STEP_D]
        z = (z - phase) // words[word.STEP_D]
        for c in range(chunks):
            table = scratch + words[word.AT_TABLE] + c * words[word.TABLE]
            _list_voxels(words, table, volume + c * vector, y, x, scratch + words[word.AT_ZEROS])
        done = 0  # planes that are in the rings
        for t in range(run):
            slot, begin, more = done % n_d, t * m_d % n_d, t * m_d + n_d - done
            for c in range(chunks):
                load = words[word.LOAD_LAST] if chunk + c == words[word.CHUNKS] - 1 else words[word.LOAD]
                table = scratch + words[word.AT_TABLE] + c * words[word.TABLE]
                seen = words[word.CHANNELS] - (chunk + c) * words[word.LANES_IN]
                target = scratch + words[word.AT_V] + c * words[word.V_CHUNK]
                target += (tile - first + t) * words[word.V_TILE]
                if n_d == 1:
                    call(load, table, z + done, depth, 0, more, target, seen)
                else:
                    ring = scratch + words[word.AT_RING] + c * words[word.RING]
                    call(load, table, z + done, depth, slot, more, ring, seen)
                    call(words[word.SPREAD], ring, begin, target)
            done += more
        tile += run


@helper
def _list_runs(words, runs):
    """Writes where the runs of channels begin in V and in U."""
    table, run, lanes = pointer(runs, np.int64), words[word.RUN], words[word.LANES_IN]
    for r in range(words[word.SLICE] * lanes // run):
        table[2 * r] = r * run // lanes * words[word.V_CHUNK] + r * run % lanes * words[word.SIZE]
        table[2 * r + 1] = r * words[word.U_RUN]


@helper
def _transform_weights(words, weights, between, target, chunk, chunks):
    """The weights of some chunks of channels, for a block of filters -> U."""
    vector = words[word.LANES] * words[word.SIZE]
    width = words[word.COLUMNS] * vector
    begin = chunk * words[word.LANES_IN]
    for c in range(chunks * words[word.LANES_IN]):
        for v in range(words[word.COLUMNS]):
            to = target + c // words[word.RUN] * words[word.U_RUN] + c % words[word.RUN] * width + v * vector
            if begin + c < words[word.CHANNELS]:
                source = weights + (begin + c) * words[word.U_CHANNEL] + v * vector
                call(words[word.WEIGHTS], source, between, to)
            else:
                for f in range(words[word.N_H] * words[word.N_W] * words[word.N_D]):
                    clear(to + f * words[word.U_NEXT], vector)


@helper
def _multiply(words, scratch, weights, row, last_row, chunks, more):
    """V times U -> S, for every frequency; to S if there is ``more`` than these chunks of channels."""
    width = words[word.COLUMNS] * words[word.LANES]
    lda, ldc = words[word.V_TILE], words[word.S_TILE]
    runs, rows, tiles = scratch + words[word.AT_RUNS], words[word.ROWS], words[word.TILES]
    first, count = row * tiles // rows, chunks * words[word.LANES_IN] // words[word.RUN]
    for f in range(words[word.N_H] * words[word.N_W] * words[word.N_D]):
        a = scratch + words[word.AT_V] + f * words[word.V_NEXT]
        c = scratch + words[word.AT_S] + f * words[word.S_NEXT]
        b = weights + f * words[word.U_NEXT]
        begin = 0
        for r in range(row, last_row):
            end = (r + 1) * tiles // rows - first
            tile = words[word.TILE] if end - begin == words[word.TILE_ROWS] else words[word.TILE_MORE]
            call(
                tile, a + begin * lda, lda, runs, count, words[word.RUN], b, c + begin * ldc, ldc, more, width, 0,
            )  # fmt: skip
            begin = end


@helper
def _finish(words, numbers, volume, y, x, voxels, filters):
    """The activation, where the output transform has it not built in."""
    step = words[word.OUT_D] * words[word.STEP_D]
    for h in range(y, min(y + words[word.M_H] * words[word.STEP_H], words[word.SIZE_H]), words[word.STEP_H]):
        for w in range(x, min(x + words[word.M_W] * words[word.STEP_W], words[word.SIZE_W]), words[word.STEP_W]):
            c = volume + h * words[word.OUT_H] + w * words[word.OUT_W]
            call(words[word.FINISH], c, step, voxels, filters, 0, address_of(numbers))


@helper
def _transform_outputs(words, numbers, scratch, group, block, first, last):
    """S of a block of filters -> voxels of the tiles ``first`` to ``last``."""
    planes, lanes, size = scratch + words[word.AT_RING], words[word.LANES], words[word.SIZE]
    zeros, rubbish = scratch + words[word.AT_ZEROS], scratch + words[word.AT_RUBBISH]
    vector = lanes * size
    plane = words[word.N_H] * words[word.N_W] * vector
    begin = block * words[word.COLUMNS] * lanes
    vectors = min(words[word.COLUMNS], (words[word.FILTERS] - begin + lanes - 1) // lanes)
    filter_ = group * words[word.FILTERS] + begin
    tile = first
    while tile < last:
        n, y, x, z, run = _place_of(words, tile)
        run = min(run, last - tile)
        planes_left = (words[word.SIZE_D] - z + words[word.STEP_D] - 1) // words[word.STEP_D]
        volume = words[word.OUT] + n * words[word.OUT_N] + z * words[word.OUT_D] + filter_ * size
        for v in range(vectors):
            table = scratch + words[word.AT_TABLE] + v * words[word.TABLE]
            _list_results(words, table, volume + v * vector, y, x, zeros, rubbish)
        for t in range(run):
            number = min(words[word.M_D], planes_left - t * words[word.M_D])
            for v in range(vectors):
                seen = words[word.FILTERS] - begin - v * lanes
                write = words[word.WRITE] if seen >= lanes else words[word.WRITE_LAST]
                bias = words[word.BIAS] + (filter_ + v * lanes) * size if words[word.BIAS] else zeros
                table = scratch + words[word.AT_TABLE] + v * words[word.TABLE]
                source = scratch + words[word.AT_S] + (tile - first + t) * words[word.S_TILE] + v * vector
                if words[word.N_D] == 1:
                    call(write, table, source, 0, words[word.S_NEXT], number, bias, seen)
                else:
                    call(words[word.GATHER], source, words[word.S_NEXT], planes)
                    call(write, table, planes, plane, 0, number, bias, seen)
        if words[word.FINISH]:
            voxels = min(run * words[word.M_D], planes_left)
            filters = min(words[word.FILTERS] - begin, words[word.COLUMNS] * lanes)
            _finish(words, numbers, volume, y, x, voxels, filters)
        tile += run


@task
def filter_tiles(words, numbers, index, worker):
    """Computes block ``index``: part of the filters, then group, then tiles, the last one changing fastest."""
    blocks = (words[word.ROWS] + words[word.BLOCK_ROWS] - 1) // words[word.BLOCK_ROWS]
    row = index % blocks * words[word.BLOCK_ROWS]
    index //= blocks
    group, part = index % words[word.GROUPS], index // words[word.GROUPS]
    last_row = min(row + words[word.BLOCK_ROWS], words[word.ROWS])
    first, last = row * words[word.TILES] // words[word.ROWS], last_row * words[word.TILES] // words[word.ROWS]

    scratch = words[word.SCRATCH] + worker * words[word.SCRATCH_WORKER]
    clear(scratch + words[word.AT_ZEROS], words[word.AT_RUBBISH] - words[word.AT_ZEROS])
    _list_runs(words, scratch + words[word.AT_RUNS])
    fresh = words[word.WEIGHTS] != 0
    begin = part * words[word.PART]
    for block in range(begin, min(begin + words[word.PART], words[word.BLOCKS])):
        weights = words[word.U] + (group * words[word.BLOCKS] + block) * words[word.U_BLOCK]
        for chunk in range(0, words[word.CHUNKS], words[word.SLICE]):
            chunks = min(words[word.SLICE], words[word.CHUNKS] - chunk)
            if block == begin or chunks < words[word.CHUNKS]:
                _transform_inputs(words, scratch, group, first, last, chunk, chunks)
            transformed = weights
            if fresh:
                transformed = scratch + words[word.AT_U]
                _transform_weights(words, weights, scratch + words[word.AT_RING], transformed, chunk, chunks)
            _multiply(words, scratch, transformed, row, last_row, chunks, chunk)
        _transform_outputs(words, numbers, scratch, group, block, first, last)
