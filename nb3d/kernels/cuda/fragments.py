"""Weights as tensor cores take them: rounded, and in the order in which lanes read them."""

from __future__ import annotations

import numpy as np

LANE = np.arange(32)


def round_tf32(values: np.ndarray) -> np.ndarray:
    """Returns floats with 10 bits of mantissa, rounded to the nearest, ties away from zero, as the GPU rounds."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = np.where((bits & 0x7F800000) != 0x7F800000, bits + np.uint32(0x1000), bits)
    return (rounded & np.uint32(0xFFFFE000)).view(np.float32)


def round_bf16(values: np.ndarray) -> np.ndarray:
    """Returns the upper halves of floats, rounded to the nearest, ties to even, as ``uint16``."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))) >> np.uint32(16)
    return np.where(np.isnan(values), 0x7FFF, rounded).astype(np.uint16)


def _fragments(tiled: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Picks what every lane needs: ``(..., channels of a step, 16 filters)`` -> ``(..., lane, product, rows)``.

    Column ``g`` of product ``p`` is filter ``4 (g // 2) + g % 2 + 2 p``: a lane's sums are then 4 neighbours.
    """
    g = LANE // 4
    columns = (g // 2 * 4 + g % 2)[:, None] + 2 * np.arange(2)
    return tiled[..., rows[:, None, :], columns[:, :, None]]


def bf16_fragments(tiled: np.ndarray) -> np.ndarray:
    """Returns the words of ``(..., 16 channels, 16 filters)``: ``(..., lane, 2, 2)``."""
    rows = 2 * (LANE % 4)[:, None] + np.array([0, 1, 8, 9])
    return np.ascontiguousarray(round_bf16(_fragments(tiled, rows))).view(np.uint32)


def tf32_fragments(tiled: np.ndarray, pieces: int, axis: int) -> np.ndarray:
    """Returns the words of ``(..., 8 channels, 16 filters)``: ``(..., lane, 2, 2)``.

    Args:
        tiled: The weights.
        pieces: 1, or 2 with what rounding took away.
        axis: Which axis the pieces become.
    """
    values = _fragments(tiled, (LANE % 4)[:, None] + np.array([0, 4]))
    high = round_tf32(values)
    parts = [high, round_tf32(values - high)][:pieces]
    return np.ascontiguousarray(np.stack(parts, axis=axis)).view(np.uint32)
