"""Normalization of contiguous runs by their own statistics: layer, RMS, unit and many a group normalization.

``256 / lanes`` threads share a run, ``lanes`` runs share a block. Every value is read three times, twice of them from
L1 or L2: for the mean, for the squares of what is left without it, for the result. Sums are ``float64``: two or three
such instructions for a value of four bytes keep pace with the memory even where there are few units for them. Shared
memory: 512 values.
"""

from __future__ import annotations

from nb3d.kernels.activations import Activation
from nb3d.kernels.cuda.device.operations import FUNCTIONS, activation
from nb3d.kernels.cuda.door import cuda, device
from nb3d.kernels.divisors import Divisor

THREADS = 256


def build(lanes: int, centered: bool, divisor: int, offset: bool, scale: bool, code: int):
    """Returns the kernel.

    Args:
        lanes: Runs of a block, a power of two.
        centered: Whether the mean is subtracted.
        divisor: Number of what is divided by.
        offset: Whether there is one.
        scale: Whether there is one.
        code: Number of the activation.
    """
    rows, norm = THREADS // lanes, divisor == Divisor.NORM
    divided, activate = device(FUNCTIONS[Divisor(divisor).name.lower()]), activation(Activation(code))

    @device
    def joined(shared, value, lane, row):
        """The sum over the threads of a run."""
        here = row * lanes + lane
        shared[here] = value
        cuda.syncthreads()
        half = rows // 2
        while half > 0:
            if row < half:
                shared[here] += shared[here + half * lanes]
            cuda.syncthreads()
            half //= 2
        return shared[lane]

    def normalize(x, offsets, scales, out, runs, length, groups, channels, epsilon, alpha, beta):
        sums, of_squares = cuda.shared.array(THREADS, "float64"), cuda.shared.array(THREADS, "float64")
        t = cuda.threadIdx.x
        lane, row = t // rows, t % rows
        run = cuda.blockIdx.x * lanes + lane
        begin, mine = run * length, length if run < runs else 0
        mean, total = 0.0, 0.0
        if centered:
            for at in range(row, mine, rows):
                total += x[begin + at]
            mean = joined(sums, total, lane, row) / length
            total = 0.0
        for at in range(row, mine, rows):
            away = x[begin + at] - mean
            total += away * away
        squares = joined(of_squares, total, lane, row)
        factor = divided(squares if norm else squares / length, 1.0, 0.0, 0.0, epsilon, 0.0)
        first = run % groups * channels
        for at in range(row, mine, rows):
            value = (x[begin + at] - mean) * factor
            if scale:
                value *= scales[first + at % channels]
            if offset:
                value += offsets[first + at % channels]
            out[begin + at] = activate(type(alpha)(value), alpha, beta)

    return normalize
