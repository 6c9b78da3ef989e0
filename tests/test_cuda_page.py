"""``docs/cuda.md`` names every operation that the GPU has no kernel for, and no layer loses a kernel unseen."""

from dev.cuda_page import PAGE, gaps, page, why_not
from tests.kernels.example import plain

KNOWN = {"conv3d", "cos", "dropout", "einsum", "normal", "power", "sin", "sparsemax", "take_along_axis",
         "transpose"}  # fmt: skip
OF_LAYERS = {"sparsemax": {"Activation"}}


def test_the_page_is_what_its_script_writes() -> None:
    assert page() == PAGE.read_text("utf8"), "the page is stale: run `python -m dev.cuda_page`"


def test_the_gap_does_not_grow() -> None:
    found = gaps()
    assert set(found) == KNOWN
    assert {op: gap.layers for op, gap in found.items() if gap.layers} == OF_LAYERS


def test_a_missing_kernel_would_be_seen() -> None:
    assert why_not(plain("sparsemax", ((3, 4),), (3, 4), (1,)).case) == set()
    assert why_not(plain("softmax", ((3, 4),), (3, 4), (1,)).case) is None
    assert why_not(plain("softmax", ((3, 4),), (3, 4), (1,), "float16").case)
