"""conv3d on tensor cores in three products of TF32, as accurate as float32: for ``fast_float32``."""

from __future__ import annotations

from nb3d.kernels.cuda.conv3d_mma import TF32X3, serve
from nb3d.kernels.cuda.sums import slices as slices

accepts, declines, prepare, scratch, load = serve(TF32X3)
