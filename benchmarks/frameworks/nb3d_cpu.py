"""nb3d on the CPU."""

from __future__ import annotations

import nb3d
from benchmarks.frameworks import Prepared, keras_like
from benchmarks.networks import Network


def prepare(network: Network, threads: int) -> Prepared:
    """A model that predicts one batch; the number of threads is the environment's."""
    model, x = keras_like.build(nb3d, network), network.volume()
    return Prepared(lambda: model.predict_on_batch(x), lambda y: y)


def version() -> str:
    """Version of nb3d, with those of what it stands on."""
    import numba
    import numpy

    return f"{nb3d.__version__} (Numba {numba.__version__}, NumPy {numpy.__version__})"
