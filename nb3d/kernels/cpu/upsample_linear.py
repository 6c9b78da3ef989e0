"""upsample3d_linear: values between the voxels, for whole factors. Bound by memory, nearly all of it written.

A task is a stretch of output rows; for each of them

    up to four input rows are blended into one, in scratch     long loops, whatever the channels
    every output voxel is put between two voxels of that       vectors of channels, the last one masked

so an output voxel costs two products and not eight. Where it lies between two voxels follows from its phase, its place
modulo the factor: there are as many weights as the factor is large. Voxels of weight zero are left out, for they may be
infinite; beyond the border stands the voxel at the border. Measured on two cores of a Zen 4, 32^3 voxels of 32
channels, doubled: 2.0 ms, as long as repeating them takes. Rejected: streaming; where nearly all traffic is writing,
ordinary stores are faster.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from nb3d.kernels.case import Case, Kernel
from nb3d.kernels.cpu.arrays import CACHE_LINE, address, round_up
from nb3d.kernels.cpu.compile import Native, helper, task
from nb3d.kernels.cpu.launch import launch, share, workers_for
from nb3d.kernels.cpu.memory import I64, copy, pointer
from nb3d.kernels.cpu.microkernel import lanes_for
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.vector_code import Vectors

X, TO, D, H, W, C, FD, FH, FW, SHARE, ROWS, SCRATCH, SCRATCH_WORKER = range(13)


def accepts(case: Case) -> str | None:
    """Accepts floats."""
    return why_not_floats(case)


def weights(factor: int) -> list[float]:
    """Returns the weight of the upper one of the two voxels around an output voxel, for every phase."""
    return [((phase + 0.5) / factor + 0.5) % 1.0 for phase in range(factor)]


@intrinsic(prefer_literal=True)
def _between(context, lanes, dtype, to, low, high, weight, count):
    """One vector of ``low * (1 - weight) + high * weight``; ``count`` lanes of it exist."""
    name = str(dtype.instance_type)

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to, low, high, weight, count = arguments[2:]
        vec = Vectors(builder, name, lanes.literal_value)
        upper = vec.spread(weight)
        lower = builder.fsub(vec.constant(1.0), upper)

        def blend(load: Any, store: Any) -> None:
            store(vec.multiply_add(load(high), upper, builder.fmul(load(low), lower)), to)

        with builder.if_else(builder.icmp_signed(">=", count, I64(vec.lanes))) as (whole, partial):
            with whole:
                blend(vec.load, vec.store)
            with partial:
                mask = vec.mask(count)
                blend(lambda at: vec.load_masked(at, mask), lambda value, at: vec.store_masked(value, at, mask))
        return ctx.get_dummy_value()

    return types.void(lanes, dtype, types.int64, types.int64, types.int64, dtype.instance_type, types.int64), generate


@helper
def _around(place, factor, size):
    """The two voxels around an output voxel, and its phase."""
    phase, voxel = place % factor, place // factor
    lower = voxel - 1 if 2 * phase + 1 < factor else voxel
    return max(lower, 0), min(lower + 1, size - 1), phase


@cache
def _upsample(lanes: int, dtype: str) -> Native:
    kind, size = np.dtype(dtype).type, np.dtype(dtype).itemsize

    @task
    def upsample(words, numbers, index, worker):
        depth, height, width, voxel = words[D], words[H], words[W], words[C] * size
        fd, fh, fw = words[FD], words[FH], words[FW]
        length, row_size = width * words[C], width * voxel
        blended = words[SCRATCH] + worker * words[SCRATCH_WORKER]
        one = kind(1.0)
        for row in range(index * words[SHARE], min((index + 1) * words[SHARE], words[ROWS])):
            z, y = row // (height * fh) % (depth * fd), row % (height * fh)
            plane = words[X] + row // (depth * fd * height * fh) * depth * height * row_size
            z0, z1, phase = _around(z, fd, depth)
            wz = kind(numbers[phase])
            y0, y1, phase = _around(y, fh, height)
            wy = kind(numbers[fd + phase])
            a = pointer(plane + (z0 * height + y0) * row_size, kind)
            b = pointer(plane + (z0 * height + y1) * row_size, kind)
            c = pointer(plane + (z1 * height + y0) * row_size, kind)
            d = pointer(plane + (z1 * height + y1) * row_size, kind)
            to = pointer(blended, kind)
            source = blended
            if wz != 0 and wy != 0:
                for i in range(length):
                    to[i] = (a[i] * (one - wy) + b[i] * wy) * (one - wz) + (c[i] * (one - wy) + d[i] * wy) * wz
            elif wz != 0:
                for i in range(length):
                    to[i] = a[i] * (one - wz) + c[i] * wz
            elif wy != 0:
                for i in range(length):
                    to[i] = a[i] * (one - wy) + b[i] * wy
            else:
                source = plane + (z0 * height + y0) * row_size
            out = words[TO] + row * row_size * fw
            for x in range(width * fw):
                x0, x1, phase = _around(x, fw, width)
                wx = kind(numbers[fd + fh + phase])
                place, low, high = out + x * voxel, source + x0 * voxel, source + x1 * voxel
                if wx == 0:
                    copy(place, low, voxel)
                    continue
                for i in range(0, voxel, lanes * size):
                    _between(lanes, kind, place + i, low + i, high + i, wx, (voxel - i) // size)

    return upsample


def _room(case: Case) -> int:
    """Returns the bytes of a blended row."""
    return round_up(case.inputs[0][3] * case.inputs[0][4] * np.dtype(case.out_dtype).itemsize)


def scratch(case: Case, threads: int) -> int:
    """Every thread has a blended row."""
    return _room(case) * min(threads, int(np.prod(case.out[:3]))) + CACHE_LINE


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    sizes, factors = case.inputs[0][1:], case.params
    rows, room = int(np.prod(case.out[:3])), _room(case)
    values = int(np.prod(case.out, dtype=np.int64))
    each = max(share(values) * rows // values, 1)
    most = workers_for(values * np.dtype(case.out_dtype).itemsize)
    numbers = np.array([weight for factor in factors for weight in weights(factor)])
    compiled = _upsample(lanes_for(sizes[3], case.out_dtype), case.out_dtype).address

    def upsample3d_linear(x, out, scratch, *params):
        begin = round_up(address(scratch))
        workers = (address(scratch) + scratch.size - begin) // room
        if workers < 1:
            raise ValueError(f"Expected at least {room + CACHE_LINE} bytes of scratch, got {scratch.size}.")
        words = np.array([address(x), address(out), *sizes, *factors, each, rows, begin, room], np.int64)
        launch(compiled, words, numbers, -(-rows // each), workers if most is None else min(workers, most))

    return upsample3d_linear
