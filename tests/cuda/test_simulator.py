"""Plain kernels in Numba's simulator, through Numba's own dispatcher, against the reference: no CUDA packages."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Numba's own CUDA is about to move to a package of its own
import numpy as np
from nb3d.kernels import table
from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.launches import recording
from tests.cuda.programs import pairs
from tests.cuda.ptx.memory import Global
from tests.kernels.compare import assert_close, compute

memory = Global()


def upload(array):
    result = Array(memory.allocate(max(array.nbytes, 1)), array.shape, array.dtype)
    memory.view(result.address, array.nbytes)[:] = array.reshape(-1).view(np.uint8)
    return result


def host(array):
    return memory.view(array.address, array.nbytes).view(array.dtype) if array.size else np.empty(0, array.dtype)


def on_host(value):
    if isinstance(value, tuple):
        return tuple(on_host(part) for part in value)
    return host(value) if isinstance(value, Array) else value


def run(item):
    from nb3d.kernels.cuda.door import dispatcher

    kernel = dispatcher(item.program.function())
    kernel[item.grid, item.program.threads](*on_host(item.arguments))


compared = set()
for implementation, example in pairs(most=5e4):
    if implementation.op not in ("relu", "max_pool3d", "conv3d") or implementation.op in compared:
        continue
    if implementation.name not in ("map", "planes", "plain"):
        continue
    out = upload(example.out())
    inputs = [upload(array) for array in example.inputs()]
    with recording(run):
        implementation.load(example.case)(*inputs, out, upload(np.empty(0, np.uint8)), *example.case.params)
    expected = compute(table.implementations(example.case.op)[-1], example)
    assert_close(example, host(out).reshape(expected.shape), expected)
    compared.add(example.case.op)
print(*sorted(compared))
"""


def test_cuda_kernels_agree_with_the_reference():
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["conv3d", "max_pool3d", "relu"]
