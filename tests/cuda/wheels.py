"""Whether this environment can compile CUDA kernels without a GPU: the extra ``cuda-test``."""

from __future__ import annotations

import pytest

from nb3d.kernels.cuda import diagnosis

_FOUND = diagnosis.compilers()

needed = pytest.mark.skipif(not _FOUND.good, reason=f'{_FOUND.detail}: pip install "nb3d[cuda-test]"')
