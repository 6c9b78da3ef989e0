"""The register tiles of other machines, compiled for them and run on this one where it can run them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import llvmlite.binding as llvm
import pytest

SCRIPT = """
import sys
from nb3d.kernels import table
from nb3d.kernels.cpu.host import vectors
from tests.kernels.cases import EXAMPLES
from tests.kernels.compare import assert_close, compute
assert (vectors().size, vectors().count) == (int(sys.argv[1]), int(sys.argv[2])), vectors()
for example in EXAMPLES:
    if example.case.op in ("conv3d", "conv3d_transpose", "dense") and "medium" not in example.name:
        *compiled, reference = table.implementations(example.case.op)
        expected = compute(reference, example)
        for implementation in compiled:
            if implementation.accepts(example.case) is None:
                assert_close(example, compute(implementation, example), expected)
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="of x86-64")
@pytest.mark.parametrize(
    ("name", "features", "size", "count"),
    [("haswell", "+sse4.2,+avx,+avx2,+fma,+bmi,+bmi2,+popcnt", 32, 16), ("generic", "", 16, 16)],
)
def test_tiles_of_other_machines(name, features, size, count, tmp_path):
    if not all(llvm.get_host_cpu_features().get(feature[1:]) for feature in filter(None, features.split(","))):
        pytest.skip(f"this machine is no {name}")
    environment = {**os.environ, "NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
    environment["NB3D_CACHE_DIR"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(size), str(count)],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
