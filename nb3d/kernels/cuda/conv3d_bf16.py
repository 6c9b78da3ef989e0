"""conv3d on tensor cores with values rounded to BF16: for the precision ``bfloat16``."""

from __future__ import annotations

from nb3d.kernels.cuda.conv3d_mma import BF16, serve
from nb3d.kernels.cuda.sums import slices as slices

accepts, declines, prepare, scratch, load = serve(BF16)
