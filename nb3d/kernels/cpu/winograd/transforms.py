"""The transforms of a tile: five functions, called through their addresses.

Height and width of a plane are transformed at once, in registers, plane after plane along the depth; then the depth.
Tiles that follow each other along the depth share planes, so only ``m_d`` of ``n_d`` are new for a tile: they lie in a
ring. The way back is the same in reverse order.

``planes``   voxels -> height and width -> ring (or, where the depth has one tap, V itself)
``spread``   ring -> depth -> the ``n_h * n_w * n_d`` frequencies of a tile, side by side in V
``weights``  the taps of a channel, for a vector of filters -> their frequencies in U
``gather``   the frequencies of a tile in S -> depth -> ``m_d`` planes in L1
``write``    these (or, with one tap, S) -> height and width, bias, residual, ReLU -> voxels

Voxels come and go through tables: an address for every (height, width), the step to the next plane, and what the
residual's address is. Beyond the volume the address is that of zeros (or of a place for rubbish) and the step is 0: no
branch, no copy.

Why along the depth: the voxels of a plane lie in six rows, powers of two apart as a rule, and within a row one after
the other. The six rows share a set of L1, which has room for them. Walking along the width takes 36 rows at once: two
to three times slower. For the same reason all channels of a tile are transformed before the next tile.

Measured on a Zen 4, F(4,3)^3, vectors of 64 bytes: a plane in L1 takes 220 cycles (120 multiply, 72 store, at the same
time at best). A tile of 16 channels takes 3,700 there and 2,400 back at 64^3 x 32 channels, most of it waiting for L3.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import types

from nb3d.kernels.cpu.compile import Native, native
from nb3d.kernels.cpu.memory import clear, pointer
from nb3d.kernels.cpu.winograd.emit import filters, filters_depth, inputs, inputs_depth, outputs, outputs_depth
from nb3d.kernels.cpu.winograd.points import Axis


@cache
def planes(h: Axis, w: Axis, slots: int, lanes: int, dtype: str, masked: bool) -> Native:
    """Returns the transform of planes of voxels along height and width.

    Its arguments: ``table`` (addresses, then steps), ``z`` (where the first plane lies in the volume), ``depth`` (of
    the volume), ``slot`` (of the first plane in the ring), ``number`` (of planes), ``target`` (the ring), ``seen``
    (channels there are, if masked).
    """
    mh, kh, mw, kw, kind = h.size, h.taps, w.size, w.taps, np.dtype(dtype).type
    entries, masks = h.n * w.n, int(masked)
    plane = entries * lanes * np.dtype(dtype).itemsize

    @native(types.void(*[types.int64] * 7))
    def winograd_planes(table, z, depth, slot, number, target, seen):
        rows = pointer(table, np.int64)
        for _ in range(number):
            if z >= 0 and z < depth:
                inputs(mh, kh, mw, kw, lanes, masks, kind, table, target + slot * plane, seen)
            else:
                clear(target + slot * plane, plane)
            for k in range(entries):
                rows[k] += rows[entries + k]
            z += 1
            slot += 1
            if slot == slots:
                slot = 0

    return winograd_planes


@cache
def spread(d: Axis, lines: int, lanes: int, dtype: str) -> Native:
    """Returns the transform of ``lines`` values per plane along the depth: ``ring, slot, target``."""
    m, k, kind = d.size, d.taps, np.dtype(dtype).type

    @native(types.void(*[types.int64] * 3))
    def winograd_spread(ring, slot, target):
        inputs_depth(m, k, lines, lanes, kind, ring, slot, target)

    return winograd_spread


@cache
def weights(h: Axis, w: Axis, d: Axis, lanes: int, step: int, distance: int, dtype: str) -> Native:
    """Returns the transform of weights: ``source``, ``between`` (where there is room for planes), ``target``.

    That room is not on the stack: LLVM would keep it in registers, and take minutes for seven taps.
    """
    (mh, kh), (mw, kw), (md, kd), kind = (h.size, h.taps), (w.size, w.taps), (d.size, d.taps), np.dtype(dtype).type
    lines, vector = h.n * w.n, lanes * np.dtype(dtype).itemsize
    plane, deep, taps = lines * vector, d.n > 1, kh * kw * step

    @native(types.void(*[types.int64] * 3))
    def winograd_weights(source, between, target):
        if deep:
            for k in range(kd):
                filters(mh, kh, mw, kw, lanes, step, vector, kind, source + k * taps, between + k * plane)
            filters_depth(md, kd, lines, lanes, distance, kind, between, target)
        else:
            filters(mh, kh, mw, kw, lanes, step, distance, kind, source, target)

    return winograd_weights


@cache
def gather(d: Axis, lines: int, lanes: int, dtype: str) -> Native:
    """Returns the way back along the depth: ``source, distance`` (of frequencies), ``target``."""
    m, k, kind = d.size, d.taps, np.dtype(dtype).type

    @native(types.void(*[types.int64] * 3))
    def winograd_gather(source, distance, target):
        outputs_depth(m, k, lines, lanes, kind, source, distance, target)

    return winograd_gather


@cache
def write(
    h: Axis, w: Axis, dense: bool, lanes: int, dtype: str, masked: bool, residual: bool, relu: bool, sent: bool
) -> Native:
    """Returns the way back along height and width, the voxels ``sent`` around the caches or not.

    Its arguments: ``table`` (addresses, steps, residuals), ``source``, ``plane`` (bytes from one to the next),
    ``distance`` (of frequencies, unless they are dense), ``number`` (of planes), ``bias``, ``seen`` (filters there are,
    if masked).
    """
    mh, kh, mw, kw, kind = h.size, h.taps, w.size, w.taps, np.dtype(dtype).type
    entries, together, masks, adds, clips = h.size * w.size, int(dense), int(masked), int(residual), int(relu)
    sends = int(sent)

    @native(types.void(*[types.int64] * 7))
    def winograd_write(table, source, plane, distance, number, bias, seen):
        rows = pointer(table, np.int64)
        for z in range(number):
            outputs(
                mh, kh, mw, kw, lanes, together, masks, adds, clips, sends, kind, table, source + z * plane, distance,
                bias, seen,
            )  # fmt: skip
            for k in range(entries):
                rows[k] += rows[entries + k]
                if adds:
                    rows[2 * entries + k] += rows[entries + k]

    return winograd_write
