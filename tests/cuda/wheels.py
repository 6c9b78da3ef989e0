"""Whether this environment can compile CUDA kernels without a GPU: the extra ``cuda-test``."""

from __future__ import annotations

import importlib.util
from functools import cache

import pytest


@cache
def why_not() -> str | None:
    """The reason why kernels cannot be compiled here, if they cannot."""
    if importlib.util.find_spec("numba_cuda") is None:
        return 'numba-cuda is not installed: pip install "nb3d[cuda-test]"'
    try:
        from cuda.bindings import nvjitlink, nvvm

        nvvm.version()
        nvjitlink.version()
    except Exception as error:  # a missing library has an exception of its own in every package
        return f'the CUDA compilers are not installed: pip install "nb3d[cuda-test]" ({type(error).__name__}: {error})'
    return None


needed = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")
