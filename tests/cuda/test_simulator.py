"""The CUDA kernels in Numba's simulator: no GPU, no CUDA packages; against the reference, over the shared cases."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Numba's own CUDA is about to move to a package of its own
import numpy as np
from nb3d.kernels import table
from nb3d.kernels.devices import devices
from tests.kernels.cases import EXAMPLES
from tests.kernels.compare import assert_close, compute

cuda = devices()[1]
assert not cuda.available()[0]
compared = set()
for example in EXAMPLES:
    if np.prod(example.case.out) > 10_000:
        continue
    try:
        implementations = table.implementations(example.case.op, "cuda")
    except KeyError:
        continue
    for implementation in implementations:
        if implementation.accepts(example.case) is None:
            out = cuda.upload(example.out())
            inputs = [cuda.upload(array) for array in example.inputs()]
            implementation.load(example.case)(*inputs, out, cuda.allocate((0,), "uint8"), *example.case.params)
            expected = compute(table.implementations(example.case.op)[-1], example)
            assert_close(example, cuda.download(out), expected)
            compared.add(example.case.op)
print(*sorted(compared))
"""


def test_cuda_kernels_agree_with_the_reference():
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["hard_tanh", "linear", "relu", "threshold"]
