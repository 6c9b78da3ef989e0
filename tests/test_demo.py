"""The demo: its data are what they claim to be, its picture shows what it should, and it runs from end to end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from examples import picture
from examples.nodules import dice, make_batch, make_sample

ROOT = Path(__file__).resolve().parent.parent


def test_the_same_seed_gives_the_same_volume_and_another_seed_another() -> None:
    first, again, other = make_sample((12, 17, 9), 3), make_sample((12, 17, 9), 3), make_sample((12, 17, 9), 4)
    np.testing.assert_array_equal(first.volume, again.volume)
    np.testing.assert_array_equal(first.mask, again.mask)
    assert not np.array_equal(first.volume, other.volume)


def test_nodules_are_brighter_than_their_surroundings_but_brightness_does_not_give_them_away() -> None:
    volume, mask = make_sample((64, 64, 64), 5)
    assert 0.005 < mask.mean() < 0.2
    assert volume[mask].mean() > volume[~mask].mean() + 0.5
    assert max(dice(mask, volume > threshold) for threshold in np.linspace(-1, 3, 41)) < 0.7


def test_a_batch_is_what_a_network_takes() -> None:
    volumes, masks = make_batch(2, (8, 12, 10), 0)
    assert volumes.shape == masks.shape == (2, 8, 12, 10, 1)
    assert volumes.dtype == masks.dtype == np.float32
    assert set(np.unique(masks)) <= {0.0, 1.0}


@pytest.mark.parametrize(("found", "expected"), [([1, 1, 0, 0], 1.0), ([0, 0, 1, 1], 0.0), ([1, 0, 0, 0], 2 / 3)])
def test_dice(found: list[int], expected: float) -> None:
    assert dice(np.array([1, 1, 0, 0], bool), np.array(found, bool)) == pytest.approx(expected)


def test_the_picture_tints_what_was_found_and_outlines_what_is_true(tmp_path: Path) -> None:
    volume, mask = make_sample((24, 16, 20), 1)
    nothing, all_of_it = np.zeros(mask.shape, np.float32), mask.astype(np.float32)
    blank, full = (np.asarray(picture.draw(volume, found, mask, "t", "s"), int) for found in (nothing, all_of_it))
    legend = blank.shape[0] - picture.FOOTER
    truth = (np.abs(blank[:legend] - picture.TRUTH) < 2).all(-1)
    tinted = (blank != full).any(-1)
    assert truth.any()
    assert tinted.any()
    assert not tinted[: legend // 2].any()  # the upper row shows the volume alone
    picture.save(picture.draw(volume, all_of_it, mask, "t", "s"), tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as image:
        assert image.size == (blank.shape[1], blank.shape[0])


def test_the_demo_runs_and_finds_the_nodules(tmp_path: Path) -> None:
    target = tmp_path / "demo.png"
    command = [sys.executable, "examples/demo.py", "--side", "48", "--output", str(target)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    score = re.search(r"^Dice\s+([\d.]+)", ran.stdout, re.MULTILINE)
    assert score is not None
    assert float(score[1]) > 0.85
    joined = "middle_up[0] (?, ?, ?, ?, 16) + middle_relu2[0] (?, ?, ?, ?, 16) -> middle_skip[0] (?, ?, ?, ?, 32)"
    assert f"node 0 of 1  {joined}\n" in ran.stdout
    assert "node 1 of 2  elsewhere[0] (?, 32, 32, 32, 8) -> nodule[1] (?, 32, 32, 32, 1)\n" in ran.stdout
    with Image.open(target) as image:
        assert image.width > 1000
