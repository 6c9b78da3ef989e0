"""Several Python threads and forked children never end the process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

PRELUDE = """
import sys
import numpy as np
import numba
from nb3d.kernels import table
from tests.kernels.cases import EXAMPLES
from tests.kernels.compare import compute

def medium(op):
    return next(e for e in EXAMPLES if e.case.op == op and "medium" in e.name)

def best(example):
    return table.select(example.case).implementation
"""


def _python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NUMBA_NUM_THREADS": "3", **environment}
    script = PRELUDE + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", script, *arguments],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def _succeeds(code: str, *arguments: str, **environment: str) -> str:
    done = _python(code, *arguments, **environment)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


CROWD = """
from concurrent.futures import ThreadPoolExecutor
examples = [medium("conv3d"), medium("relu"), medium("softmax"), medium("add")]
alone = [compute(best(e), e).tobytes() for e in examples]
with ThreadPoolExecutor(4) as pool:
    for _ in range(5):
        together = list(pool.map(lambda e: compute(best(e), e).tobytes(), examples * 3))
        assert together == alone * 3
print(numba.threading_layer())
"""


def test_several_python_threads_at_once():
    _succeeds(CROWD)


def test_several_python_threads_at_once_under_workqueue():
    assert _succeeds(CROWD, NUMBA_THREADING_LAYER="workqueue").strip() == "workqueue"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("layer", ["default", "workqueue"])
@pytest.mark.parametrize("parent", ["parallel", "serial"])
def test_a_forked_child_works_or_says_why_not(layer, parent):
    printed = _succeeds(
        """
        import os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        parent = sys.argv[1]
        example = medium("relu")
        small = next(e for e in EXAMPLES if e.case.op == "relu")
        expected = compute(table.implementations("relu")[-1], example).tobytes()
        first = example if parent == "parallel" else small
        compute(best(first), first)

        def in_child(work):
            child = os.fork()
            if child == 0:
                try:
                    os._exit(work())
                except RuntimeError as error:
                    print(error, flush=True)
                    os._exit(7 if "spawn" in str(error) else 8)
                except BaseException as error:
                    print(repr(error), flush=True)
                    os._exit(9)
            return os.waitpid(child, 0)[1]

        def parallel():
            return 0 if compute(best(example), example).tobytes() == expected else 1

        def alone():
            numba.set_num_threads(1)
            return parallel()

        status = in_child(parallel)
        assert os.WIFEXITED(status), f"killed by signal {os.WTERMSIG(status)}"
        assert os.WEXITSTATUS(status) in (0, 7), os.WEXITSTATUS(status)
        assert in_child(alone) == 0
        assert parallel() == 0  # the parent goes on
        print("done", os.WEXITSTATUS(status), numba.threading_layer())
        """,
        parent,
        NUMBA_THREADING_LAYER=layer,
    )
    assert "done" in printed
