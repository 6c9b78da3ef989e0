"""What holds for all tests, and for the examples in docstrings."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from nb3d.kernels import policy

settings.register_profile("nb3d", deadline=None)  # tests never assert a time
settings.load_profile("nb3d")

os.environ["NUMBA_NUM_THREADS"] = "3"  # on any machine: Numba reads it when it is imported


def pytest_collection_finish() -> None:
    """All tests stay until the end: the garbage collector need not look at them again while kernels are compiled."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def settings_stay() -> Iterator[None]:
    """What a test or an example chooses ends with it: any others may run after it in the same process."""
    before = policy._chosen
    yield
    policy._chosen = before
