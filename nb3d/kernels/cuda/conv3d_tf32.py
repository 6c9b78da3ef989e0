"""conv3d on tensor cores with values rounded to TF32: for the precision ``tf32``."""

from __future__ import annotations

from nb3d.kernels.cuda.conv3d_mma import TF32, serve
from nb3d.kernels.cuda.sums import slices as slices

accepts, declines, prepare, scratch, load = serve(TF32)
