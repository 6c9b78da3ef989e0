"""All pooling, plain and adaptive: first the rows under a row of windows, folded into one; then its voxels.

Where the windows of an axis begin and end stands in a table, so that they need not be alike.

A task is one output row, in blocks of voxels whose input fits L1:

    fold the kd * kh input rows, four at once, into a row of scratch      long loops, whatever the channels
    for every output voxel, for every vector of its channels:             kw taps of that row in one register

So a window costs ``kw`` steps on few channels, not ``kd * kh * kw``; every input voxel is read from memory once as
long as windows do not overlap. Measured on two cores of a Zen 4, 2x2x2 on 64^3 voxels of 32 channels: 27 to 34 GB/s,
bound by memory. Rejected: tap by tap into the output voxel, a loop over channels each: no vectors below 16 channels, 6
times slower with 8; one row at a time, each maximum keeping NaN: a tenth slower.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from nb3d.kernels.case import OUT, Case, Kernel
from nb3d.kernels.cpu.arrays import CACHE_LINE, address, round_up
from nb3d.kernels.cpu.compile import Native, helper, task
from nb3d.kernels.cpu.launch import launch, workers_for
from nb3d.kernels.cpu.memory import I64, pointer
from nb3d.kernels.cpu.microkernel import lanes_for
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.vector_code import Vectors

ROW_BYTES = 12 * 1024  # of folded input: with one input row it leaves room in L1

(
    X, TO, ID, IH, IW, C, OD, OH, OW, D0, D1, H0, H1, W0, W1, PITCH_X, PITCH_OUT, SCRATCH, SCRATCH_WORKER, BLOCK,
) = range(20)  # fmt: skip


def accepts(case: Case) -> str | None:
    """Accepts every pooling of floats."""
    return why_not_floats(case)


def slices(case: Case) -> tuple[int, ...]:
    """Both operands."""
    return (0, OUT)


@intrinsic(prefer_literal=True)
def _fold_voxel(context, maximum, lanes, dtype, to, source, step, taps, count, voxels):
    """One vector of an output voxel: ``taps`` vectors, ``step`` bytes apart, folded; ``count`` lanes of it exist."""
    largest, name = bool(maximum.literal_value), str(dtype.instance_type)

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to, source, step, taps, count, voxels = arguments[3:]
        vec = Vectors(builder, name, lanes.literal_value)
        result = cgutils.alloca_once(builder, vec.kind)
        divisor = vec.spread(builder.sitofp(voxels, vec.scalar))

        def fold(load: Any, store: Any) -> None:
            builder.store(vec.constant(-np.inf if largest else 0.0), result)
            with cgutils.for_range(builder, taps) as tap:
                value = load(builder.add(source, builder.mul(tap.index, step)))
                so_far = builder.load(result)
                if largest:
                    above = builder.fcmp_ordered(">", value, so_far)
                    wins = builder.or_(above, builder.fcmp_unordered("uno", value, value))
                    builder.store(builder.select(wins, value, so_far), result)
                else:
                    builder.store(builder.fadd(so_far, value), result)
            total = builder.load(result)
            store(total if largest else builder.fdiv(total, divisor), to)

        with builder.if_else(builder.icmp_signed(">=", count, I64(vec.lanes))) as (whole, partial):
            with whole:
                fold(vec.load, vec.store)
            with partial:
                mask = vec.mask(count)
                fold(lambda at: vec.load_masked(at, mask), lambda value, at: vec.store_masked(value, at, mask))
        return ctx.get_dummy_value()

    return types.void(maximum, lanes, dtype, *[types.int64] * 6), generate


@helper
def _both(maximum, a, b):
    """Two values folded; the larger of a NaN and a number is either: see `_or_nan`."""
    if maximum:
        return a if a > b else b
    return a + b


@helper
def _or_nan(maximum, lost, value):
    """The folded value, a NaN where one of what it is made of was."""
    return value * np.float32(np.nan) if maximum and lost else value


@helper
def _fold_rows(maximum, rows, a, b, c, d, count, abreast, first):
    """Folds one, two or four input rows into the scratch, which holds nothing yet before the ``first``."""
    if abreast == 4 and first:
        for i in range(count):
            p, q, r, s = a[i], b[i], c[i], d[i]
            value = _both(maximum, _both(maximum, p, q), _both(maximum, r, s))
            rows[i] = _or_nan(maximum, (p != p) | (q != q) | (r != r) | (s != s), value)
    elif abreast == 4:
        for i in range(count):
            p, q, r, s, t = a[i], b[i], c[i], d[i], rows[i]
            value = _both(maximum, t, _both(maximum, _both(maximum, p, q), _both(maximum, r, s)))
            rows[i] = _or_nan(maximum, (p != p) | (q != q) | (r != r) | (s != s) | (t != t), value)
    elif abreast == 2 and first:
        for i in range(count):
            p, q = a[i], b[i]
            rows[i] = _or_nan(maximum, (p != p) | (q != q), _both(maximum, p, q))
    elif abreast == 2:
        for i in range(count):
            p, q, t = a[i], b[i], rows[i]
            rows[i] = _or_nan(maximum, (p != p) | (q != q) | (t != t), _both(maximum, t, _both(maximum, p, q)))
    elif first:
        for i in range(count):
            rows[i] = a[i]
    else:
        for i in range(count):
            p, t = a[i], rows[i]
            rows[i] = _or_nan(maximum, (p != p) | (t != t), _both(maximum, t, p))


@helper
def _row(plane, index, high, height, line):
    """Where one of the input rows under a row of windows begins, ``high`` of them in every plane."""
    return plane + (index // high * height + index % high) * line


@cache
def _pool(maximum: int, dtype: str, lanes: int) -> Native:
    kind, size = np.dtype(dtype).type, np.dtype(dtype).itemsize

    @task
    def pool(words, numbers, index, worker):
        channels = words[C]
        y = index % words[OH]
        z = index // words[OH] % words[OD]
        n = index // (words[OH] * words[OD])
        z0, z1 = pointer(words[D0], np.int64)[z], pointer(words[D1], np.int64)[z]
        y0, y1 = pointer(words[H0], np.int64)[y], pointer(words[H1], np.int64)[y]
        x_begin, x_end = pointer(words[W0], np.int64), pointer(words[W1], np.int64)
        pitch, pitch_out = words[PITCH_X], words[PITCH_OUT]
        out = words[TO] + index * words[OW] * pitch_out * size
        rows = words[SCRATCH] + worker * words[SCRATCH_WORKER]
        line, high = words[IW] * pitch * size, max(y1 - y0, 1)
        under = (z1 - z0) * (y1 - y0)  # input rows under the windows of this row
        plane = words[X] + ((n * words[ID] + z0) * words[IH] + y0) * line
        for begin in range(0, words[OW], words[BLOCK]):
            end = min(begin + words[BLOCK], words[OW])
            left, right = x_begin[begin], x_end[end - 1]
            runs, run = (1, (right - left) * channels) if pitch == channels else (right - left, channels)
            done = 0
            while done < under:
                abreast = 4 if under - done >= 4 else 2 if under - done >= 2 else 1
                last = done + abreast - 1
                for r in range(runs):
                    at = plane + (left + r) * pitch * size
                    _fold_rows(
                        maximum, pointer(rows + r * run * size, kind),
                        pointer(_row(at, done, high, words[IH], line), kind),
                        pointer(_row(at, min(done + 1, last), high, words[IH], line), kind),
                        pointer(_row(at, min(done + 2, last), high, words[IH], line), kind),
                        pointer(_row(at, last, high, words[IH], line), kind),
                        run, abreast, done == 0,
                    )  # fmt: skip
                done += abreast
            for w in range(begin, end):
                x0, x1 = x_begin[w], x_end[w]
                taps = x1 - x0 if under > 0 else 0
                voxels = (z1 - z0) * (y1 - y0) * taps
                to, source = out + w * pitch_out * size, rows + (x0 - left) * channels * size
                for c in range(0, channels, lanes):
                    _fold_voxel(
                        maximum, lanes, kind, to + c * size, source + c * size, channels * size, taps, channels - c,
                        voxels,
                    )  # fmt: skip

    return pool


def _windows(case: Case) -> list[np.ndarray]:
    """Returns where the windows begin and end along depth, height and width, two tables per axis."""
    tables = []
    for axis in range(3):
        size, count = case.inputs[0][1 + axis], case.out[1 + axis]
        position = np.arange(count, dtype=np.int64)
        if case.op.startswith("adaptive"):
            tables += [position * size // count, -(-(position + 1) * size // count)]
        else:
            window, stride, before = case.params[axis::3]
            start = position * stride - before
            tables += [np.clip(start, 0, size), np.clip(start + window, 0, size)]
    return tables


def _block(case: Case) -> tuple[int, int]:
    """Returns the output voxels of a block, and the bytes of input under it."""
    voxel = case.out[4] * np.dtype(case.out_dtype).itemsize
    *_, begin, end = _windows(case)
    window = int((end - begin).max(initial=1))
    stride = max(int(np.diff(begin).max(initial=1)), 1)
    voxels = min(max((ROW_BYTES // voxel - window) // stride + 1, 1), case.out[3])
    return voxels, round_up(((voxels - 1) * stride + window) * voxel)


def scratch(case: Case, threads: int) -> int:
    """Every thread has a row of folded input."""
    return _block(case)[1] * min(threads, int(np.prod(case.out[:3]))) + CACHE_LINE


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    n, od, oh, ow, channels = case.out
    lanes = lanes_for(channels, case.out_dtype)
    task = _pool(int("max" in case.op), case.out_dtype, lanes).address
    tables = _windows(case)
    sizes = [*case.inputs[0][1:4], channels, od, oh, ow, *map(address, tables), case.pitch(0), case.pitch(OUT)]
    most = workers_for(int(np.prod(case.inputs[0], dtype=np.int64)) * np.dtype(case.out_dtype).itemsize)
    numbers = np.zeros(1)
    block, room = _block(case)

    def pool3d(x, out, scratch, *params, tables=tables):  # whose addresses the sizes hold
        begin = round_up(address(scratch))
        workers = (address(scratch) + scratch.size - begin) // room
        if workers < 1:
            raise ValueError(f"Expected at least {room + CACHE_LINE} bytes of scratch, got {scratch.size}.")
        words = np.array([address(x), address(out), *sizes, begin, room, block], np.int64)
        launch(task, words, numbers, n * od * oh, workers if most is None else min(workers, most))

    return pool3d
