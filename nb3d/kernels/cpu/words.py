"""What a task of ``correlation.py`` reads: the names of its words. Addresses, strides and offsets are in bytes.

``X*`` is the input, ``OUT*`` the output of one piece of work, ``B*`` the packed weights, ``S*`` strides, ``K*`` counts
of taps; ``OFFSETS`` begins the table of tap offsets of the three axes, one after the other. ``TABLE`` says at which
word the table of blocks of filters begins; every block has ``BLOCK_WORDS``: where it begins in a voxel of the input, in
the weights, in a voxel of the output and in the bias, and how many filters it has.
"""

(
    X, X_N, X_D, X_H, X_W, IN_D, IN_H, IN_W,
    OUT, OUT_N, OUT_D, OUT_H, OUT_W, COUNT_N, COUNT_D, COUNT_H, COUNT_W,
    B, B_TAP, BLOCKS, TABLE, SIZE,
    BIAS, RESIDUAL, FINISH,
    SD, SH, SW, KD, KH, KW,
    DIRECT, SPLIT, LENGTH, CHUNK,
    ROWS, TILES, SEGMENT, PART,
    TILE, TILE_ROWS, TILE_MORE,
    SCRATCH, SCRATCH_WORKER, PITCH, PLANE,
    OFFSETS,
) = range(47)  # fmt: skip

BLOCK_A, BLOCK_B, BLOCK_OUT, BLOCK_BIAS, BLOCK_FILTERS, BLOCK_WORDS = range(6)
