"""Synthetic volumes with bright nodules among vessels, and where the nodules are: data for the demo, from NumPy alone.

A volume is a smooth background, blurred ellipsoids (the nodules, which a network shall find), blurred tubes of the same
brightness (vessels, which it shall leave alone: brightness does not tell them apart, only shape does) and white noise
about half as strong as the nodules. The same seed and shape give the same volume.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Shape3 = tuple[int, int, int]
Field = npt.NDArray[np.float32]

CONTRAST = (0.9, 1.4)        # brightness of nodules and vessels over the background
NODULE_RADIUS = (3.0, 9.0)   # voxels, of each half axis
VESSEL_RADIUS = (1.2, 2.2)   # voxels
BLUR = 0.6                   # voxels over which an edge fades
NOISE = 0.45                 # standard deviation
VOXELS_PER_NODULE = 27**3
VOXELS_PER_VESSEL = 28**3


class Sample(NamedTuple):
    """A volume and its truth, both of shape ``(depth, height, width)``."""

    volume: Field
    mask: npt.NDArray[np.bool_]


def make_sample(shape: Shape3, seed: int) -> Sample:
    """Draws one volume and the mask of its nodules.

    Args:
        shape: Depth, height and width in voxels.
        seed: Seed of everything random.
    """
    rng = np.random.default_rng(seed)
    voxels = int(np.prod(shape))
    objects = np.zeros(shape, np.float32)
    for _ in range(max(1, round(voxels / VOXELS_PER_VESSEL))):
        _draw_vessel(rng, objects)
    mask = np.zeros(shape, np.bool_)
    for _ in range(max(1, round(voxels / VOXELS_PER_NODULE))):
        _draw_nodule(rng, objects, mask)
    noise = rng.standard_normal(shape, dtype=np.float32) * np.float32(NOISE)
    return Sample(_background(rng, shape) + objects + noise, mask)


def make_batch(count: int, shape: Shape3, seed: int) -> tuple[Field, Field]:
    """Draws samples as a network takes them: ``(count, depth, height, width, 1)``, volumes and float masks."""
    samples = [make_sample(shape, seed + i) for i in range(count)]
    volumes = np.stack([sample.volume for sample in samples])[..., np.newaxis]
    masks = np.stack([sample.mask for sample in samples])[..., np.newaxis]
    return volumes, masks.astype(np.float32)


def dice(truth: npt.NDArray[np.bool_], found: npt.NDArray[np.bool_]) -> float:
    """Overlap of two masks: twice the intersection over the sum of sizes; 1 is perfect."""
    both = int(truth.sum()) + int(found.sum())
    return 2.0 * int((truth & found).sum()) / both if both else 1.0


def _background(rng: np.random.Generator, shape: Shape3) -> Field:
    """A smooth random field: coarse noise, one knot per 16 voxels, eased between its knots."""
    knots = [side // 16 + 2 for side in shape]
    coarse = rng.normal(0.0, 0.3, knots)
    depth, height, width = (_easing(side, count) for side, count in zip(shape, knots, strict=True))
    field: Field = np.einsum("ai,bj,ck,ijk->abc", depth, height, width, coarse, optimize=True).astype(np.float32)
    return field


def _easing(side: int, knots: int) -> npt.NDArray[np.float64]:
    """The matrix that turns values at knots into values at voxels, along one axis."""
    position = np.linspace(0.0, knots - 1.0, side, endpoint=False)
    left = position.astype(int)
    ease = position - left
    ease = ease * ease * (3.0 - 2.0 * ease)
    matrix = np.zeros((side, knots))
    matrix[np.arange(side), left] = 1.0 - ease
    matrix[np.arange(side), left + 1] = ease
    return matrix


def _draw_nodule(rng: np.random.Generator, objects: Field, mask: npt.NDArray[np.bool_]) -> None:
    """An ellipsoid of random axes, turned at random."""
    centre = rng.uniform(0.0, objects.shape)
    radii = rng.uniform(*NODULE_RADIUS, size=3)
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    box, offset = _box(objects.shape, centre, radii.max() + 2.0)
    distance = np.sqrt((np.einsum("ij,j...->i...", turn, offset) ** 2 / radii.reshape(3, 1, 1, 1) ** 2).sum(0))
    _brighten(objects, box, (distance - 1.0) * radii.mean(), rng.uniform(*CONTRAST))
    mask[box] |= distance < 1.0


def _draw_vessel(rng: np.random.Generator, objects: Field) -> None:
    """A tube along a walk that turns slowly, from border to border."""
    radius, contrast = rng.uniform(*VESSEL_RADIUS), rng.uniform(*CONTRAST)
    start = rng.uniform(0.0, objects.shape)
    direction = _unit(rng.standard_normal(3))
    for sign in (1.0, -1.0):
        point, heading = start, sign * direction
        while np.all(point > -radius) and np.all(point < np.array(objects.shape) + radius):
            box, offset = _box(objects.shape, point, radius + 2.0)
            _brighten(objects, box, np.sqrt((offset**2).sum(0)) - radius, contrast)
            heading = _unit(heading + 0.12 * rng.standard_normal(3))
            point = point + heading


def _unit(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return vector / np.linalg.norm(vector)


def _box(
    shape: tuple[int, ...], centre: npt.NDArray[np.float64], reach: float
) -> tuple[tuple[slice, ...], npt.NDArray[np.float64]]:
    """The voxels within reach of a centre, as slices, and their offsets from it, ``(3, d, h, w)``."""
    low = [max(0, int(c - reach)) for c in centre]
    high = [min(side, int(c + reach) + 2) for c, side in zip(centre, shape, strict=True)]
    axes = [np.arange(a, b) - c for a, b, c in zip(low, high, centre, strict=True)]
    return tuple(slice(a, b) for a, b in zip(low, high, strict=True)), np.stack(np.meshgrid(*axes, indexing="ij"))


def _brighten(
    objects: Field, box: tuple[slice, ...], distance: npt.NDArray[np.float64], contrast: float
) -> None:
    """Raises a box to a blurred object whose surface is at distance 0."""
    profile = contrast / (1.0 + np.exp(distance / (BLUR / 2.0)))
    np.maximum(objects[box], profile.astype(np.float32), out=objects[box])
