"""A picture of a segmentation: three orthogonal slices of a volume, and below them what was found and what is true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

PANEL = 400               # pixels along the longer side of a slice
GAP = 14
HEADER, CAPTION, FOOTER = 74, 26, 44
INK, PALE, GROUND = (236, 239, 244), (140, 150, 166), (16, 18, 22)
FOUND, TRUTH = np.array([255, 140, 50]), np.array([90, 220, 255])
COVER = 0.5               # how much of the found colour hides what lies under it
AXES = ("axial", "coronal", "sagittal")


def draw(volume: Plane, probability: Plane, truth: Mask, title: str, subtitle: str) -> Image.Image:
    """Draws slices across the three axes, each where it cuts the most of the truth.

    Args:
        volume: Brightness, ``(depth, height, width)``.
        probability: What a network says of each voxel, from 0 to 1.
        truth: What it should have said.
        title: First line of the picture.
        subtitle: Second line.
    """
    low, high = np.percentile(volume, (1.0, 99.7))
    bright = np.clip((volume - low) / (high - low), 0.0, 1.0).astype(np.float32)
    places = [int(truth.sum(axis=_others(axis)).argmax()) for axis in range(3)]
    columns = []
    for axis, place in enumerate(places):
        slices = [_enlarge(np.take(field, place, axis)) for field in (bright, probability, truth)]
        raw = _grey(slices[0])
        columns.append((f"{AXES[axis]}, slice {place}", raw, _overlay(raw, slices[1] > 0.5, slices[2] > 0.5)))
    return _page(columns, title, subtitle)


def save(picture: Image.Image, path: Path) -> None:
    """Writes a PNG."""
    picture.save(path, optimize=True)


def _others(axis: int) -> tuple[int, ...]:
    return tuple(other for other in range(3) if other != axis)


def _enlarge(plane: npt.NDArray[np.generic]) -> Plane:
    """Resamples a slice to the panel's size, smoothly, so that outlines have no stairs."""
    scale = PANEL / max(plane.shape)
    height, width = (round(side * scale) for side in plane.shape)
    image = Image.fromarray(plane.astype(np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC), np.float32)


def _grey(plane: Plane) -> npt.NDArray[np.float32]:
    return np.repeat(np.clip(plane, 0.0, 1.0)[..., np.newaxis] * 255.0, 3, axis=2)


def _overlay(raw: Plane, found: Mask, truth: Mask) -> Plane:
    """The slice with the found region tinted and the true one outlined."""
    tinted = np.where(found[..., np.newaxis], (1.0 - COVER) * raw + COVER * FOUND, raw)
    return np.where(_outline(truth)[..., np.newaxis], TRUTH, tinted).astype(np.float32)


def _outline(mask: Mask) -> Mask:
    """The rim of a mask, two pixels wide."""
    padded = np.pad(mask, 1, mode="edge")
    height, width = mask.shape
    shifted = [padded[i : i + height, j : j + width] for i, j in ((0, 1), (2, 1), (1, 0), (1, 2))]
    some, every = np.any(shifted, axis=0), np.all(shifted, axis=0)
    return np.asarray(some & ~every)


def _page(columns: list[tuple[str, Plane, Plane]], title: str, subtitle: str) -> Image.Image:
    width = sum(raw.shape[1] for _, raw, _ in columns) + GAP * (len(columns) + 1)
    height = max(raw.shape[0] for _, raw, _ in columns)
    page = Image.new("RGB", (width, HEADER + CAPTION + 2 * height + GAP + FOOTER), GROUND)
    pen = ImageDraw.Draw(page)
    large, small = ImageFont.load_default(22), ImageFont.load_default(15)
    pen.text((GAP, 14), title, INK, large)
    pen.text((GAP, 45), subtitle, PALE, small)
    left = GAP
    for caption, raw, overlay in columns:
        pen.text((left, HEADER + 2), caption, PALE, small)
        for row, pixels in enumerate((raw, overlay)):
            image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
            page.paste(image, (left, HEADER + CAPTION + row * (height + GAP)))
        left += raw.shape[1] + GAP
    _legend(pen, page.height - FOOTER + 14, small)
    return page


def _legend(pen: ImageDraw.ImageDraw, top: int, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> None:
    left = GAP
    for colour, text, filled in ((FOUND, "found by the network", True), (TRUTH, "outline of the truth", False)):
        rgb = (int(colour[0]), int(colour[1]), int(colour[2]))
        box = (left, top + 3, left + 14, top + 17)
        pen.rectangle(box, fill=rgb if filled else None, outline=rgb, width=2)
        pen.text((left + 22, top), text, PALE, font)
        left += 210
