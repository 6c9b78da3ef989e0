"""conv3d of one voxel with one or two filters, such as a network's last one: a dot product per voxel.

A vector holds the channels of one voxel, or several voxels of few channels. As many voxels as a vector has lanes are
multiplied with the weights, then their lanes are added pair by pair,

    (a, b) -> (a0 + a1, a2 + a3, ..., b0 + b1, b2 + b3, ...)

until every lane is the sum of a voxel: ``s`` vectors of ``s`` lanes a voxel take ``s - 1`` such steps, and the voxels
come out in order. Register tiles, which take a filter per lane, would leave most of a vector empty. The last vector of
a task overlaps the one before it, so there is no rest.

Measured on two cores of a Zen 4, 64^3 voxels to one filter, and in brackets by ``conv3d_direct.py``: 8 channels 0.10 ms
(0.46), 32 channels 0.57 ms (1.45), bound by memory.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nb3d.kernels.case import Arrays, Case, Kernel
from nb3d.kernels.cpu.arrays import address
from nb3d.kernels.cpu.compile import Native, task
from nb3d.kernels.cpu.epilogue import finish_address
from nb3d.kernels.cpu.launch import launch, workers_for
from nb3d.kernels.cpu.memory import I32, I64, address_of, call
from nb3d.kernels.cpu.microkernel import lanes_of
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.vector_code import Vectors

BLOCK = 2048  # voxels of a task, a multiple of the lanes of any vector
MOST_CHANNELS = 64  # partial sums stay in registers
FILTERS = (1, 2)

X, W, BIAS, OUT, VOXELS, TASKS, FINISH = range(7)


def accepts(case: Case) -> str | None:
    """Accepts convolutions of single voxels whose channels fill vectors, with one or two filters."""
    (*volume, channels), (*window, _, filters) = case.inputs[:2]
    if tuple(window) != (1, 1, 1) or case.params[:6] != (1, 1, 1, 0, 0, 0) or case.out[:4] != tuple(volume):
        return "only for kernels of one voxel, stride 1, without borders"
    if filters not in FILTERS or case.params[9] != 1 or case.inputs[3] != (0,):
        return "only for one or two filters, without groups and residual"
    if why := why_not_floats(case, weights=(1, 2)):
        return why
    lanes = lanes_of(case.out_dtype)
    if channels > MOST_CHANNELS or (channels % lanes and lanes % channels):
        return f"only for up to {MOST_CHANNELS} channels that fill vectors of {lanes}, got {channels}"
    if math.prod(volume) < lanes:
        return f"only for {lanes} voxels and more"
    return None


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Repeats the weights of every filter until they fill a vector, and the bias."""
    x, kernel, bias, residual = inputs
    lanes, (channels, filters) = lanes_of(case.out_dtype), kernel.shape[3:]
    weights = np.tile(kernel.reshape(channels, filters).T, max(lanes // channels, 1))
    return x, np.ascontiguousarray(weights), bias if bias.size else np.zeros(filters, x.dtype), residual


@intrinsic(prefer_literal=True)
def _dots(context, channels, filters, dtype, x, weights, bias, out):
    """Writes the dot products of as many voxels as a vector has lanes."""
    name, made, seen = str(dtype.instance_type), filters.literal_value, channels.literal_value

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, weights, bias, out = arguments[3:]
        vec = Vectors(builder, name, lanes_of(name))
        each = max(seen // vec.lanes, 1)  # vectors of a voxel
        sums = min(seen, vec.lanes)  # vectors that become one

        def at(begin: Any, vector: int) -> Any:
            return builder.add(begin, I64(vector * vec.bytes))

        factors = [[vec.load(at(weights, f * each + k)) for k in range(each)] for f in range(made)]

        def order(lanes: list[int]) -> Any:
            return ir.Constant(ir.VectorType(I32, vec.lanes), lanes)

        evens, odds = (order([2 * lane + odd for lane in range(vec.lanes)]) for odd in (0, 1))

        def total(count: int, first: int, f: int) -> Any:
            """The sum of ``count`` vectors, lane pair by lane pair; depth first, so that few are alive."""
            if count == 1:
                result = builder.fmul(vec.load(at(x, first * each)), factors[f][0])
                for k in range(1, each):
                    result = vec.multiply_add(vec.load(at(x, first * each + k)), factors[f][k], result)
                return result
            a, b = total(count // 2, first, f), total(count // 2, first + count // 2, f)
            return builder.fadd(builder.shuffle_vector(a, b, evens), builder.shuffle_vector(a, b, odds))

        size = I64(vec.size)
        results = []
        for f in range(made):
            start = vec.broadcast(builder.add(bias, builder.mul(I64(f), size)))
            results.append(builder.fadd(total(sums, 0, f), start))
        if made == 1:
            vec.store(results[0], out)
            return ctx.get_dummy_value()
        for half in range(2):
            first = half * vec.lanes // 2
            zipped = order([first + lane // 2 + lane % 2 * vec.lanes for lane in range(vec.lanes)])
            vec.store(builder.shuffle_vector(*results, zipped), at(out, half))
        return ctx.get_dummy_value()

    return types.void(channels, filters, dtype, *[types.int64] * 4), generate


@cache
def _task(channels: int, filters: int, dtype: str) -> Native:
    kind, size, lanes = np.dtype(dtype).type, np.dtype(dtype).itemsize, lanes_of(dtype)

    @task
    def dots(words, numbers, index, worker):
        first, last = index * BLOCK, (index + 1) * BLOCK
        if index == words[TASKS] - 1:
            last = words[VOXELS]
        for voxel in range(first, last, lanes):
            begin = min(voxel, last - lanes)
            x, out = words[X] + begin * channels * size, words[OUT] + begin * filters * size
            _dots(channels, filters, kind, x, words[W], words[BIAS], out)
        if words[FINISH]:
            out = words[OUT] + first * filters * size
            call(words[FINISH], out, filters * size, last - first, filters, 0, address_of(numbers))

    return dots


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    voxels, (channels, filters) = math.prod(case.out[:4]), case.inputs[1][3:]
    activation, alpha, beta = case.params[10:13]
    compiled, numbers = _task(channels, filters, case.out_dtype).address, np.array([alpha, beta], np.float64)
    finish, tasks = finish_address(activation, case.out_dtype, False), max(voxels // BLOCK, 1)
    workers = workers_for(voxels * channels * np.dtype(case.out_dtype).itemsize)

    def conv3d(x, weights, bias, residual, out, scratch, *params):
        words = [address(x), address(weights), address(bias), address(out), voxels, tasks, finish]
        launch(compiled, np.array(words, np.int64), numbers, tasks, workers)

    return conv3d
