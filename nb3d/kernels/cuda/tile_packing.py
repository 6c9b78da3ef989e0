"""What tile kernels read beside the voxels: phases, the table of the sum, weights. See ``device/conv_tile.py``."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from nb3d.kernels.cuda.correlations import Sizes
from nb3d.kernels.cuda.fragments import tf32_fragments
from nb3d.kernels.cuda.tiles import DEPTH, Layout, vector_of

FAR = -(1 << 28)  # a displacement that leads out of every volume
WORDS = 12  # of a phase


def phase_words(item: Layout) -> np.ndarray:
    """The words of every phase: see ``device/conv_tile.py``."""
    return np.array([
        (*phase.counts, begin, *phase.begin, end, *phase.places, math.prod(phase.counts))
        for phase, (begin, end) in zip(item.phases, pairwise(item.begins), strict=True)
    ], np.int32)  # fmt: skip


def table_of(item: Layout, sizes: Sizes) -> np.ndarray:
    """``(offset, dz, dy, dx)`` for every vector of channels of the sum."""
    vector, (h, w, channels) = vector_of(sizes), sizes.x[2:]
    rows = np.full((item.steps * DEPTH // vector, 4), FAR, np.int32)
    rows[:, 0] = 0
    vectors = np.arange(0, sizes.seen, vector)
    for phase, begin in zip(item.phases, item.begins, strict=False):
        for number, (_, at) in enumerate(phase.taps):
            first = begin * DEPTH // vector + number * len(vectors)
            here = rows[first : first + len(vectors)]
            here[:, 0] = ((at[0] * h + at[1]) * w + at[2]) * channels + vectors
            here[:, 1:] = at
    return rows


def padded_weights(item: Layout, sizes: Sizes, kernel: np.ndarray) -> np.ndarray:
    """``(group, position of the sum, filter)``."""
    packed = np.zeros((sizes.groups, item.steps * DEPTH, item.padded), np.float32)
    for phase, begin in zip(item.phases, item.begins, strict=False):
        for number, (tap, _) in enumerate(phase.taps):
            here = kernel[tap].T if sizes.transposed else kernel[tap]  # channels, filters
            first = begin * DEPTH + number * sizes.seen
            for group in range(sizes.groups):
                filters = slice(group * sizes.made, (group + 1) * sizes.made)
                packed[group, first : first + sizes.seen, : sizes.made] = here[:, filters]
    return packed


def packed_tf32(weights: np.ndarray, pieces: int = 1) -> np.ndarray:
    """Returns weights as words: ``(group, 16 filters, step, half of the step, piece, lane, 4)``."""
    groups, positions, filters = weights.shape
    tiled = weights.reshape(groups, positions // DEPTH, 2, 8, filters // 16, 16).transpose(0, 4, 1, 2, 3, 5)
    return tf32_fragments(tiled, pieces, axis=4).view(np.float32)
