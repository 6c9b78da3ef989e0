"""What a task of ``correlation.py`` reads: the names of its words. Addresses, strides and offsets are in bytes.

``X*`` is the input, ``OUT*`` the output of one piece of work, ``B*`` the packed weights, ``S*`` strides, ``K*`` counts
of taps; ``A_BLOCK`` moves the input by a block of filters, which only a depthwise convolution does; ``OFFSETS`` begins
the table of tap offsets of the three axes, one after the other.
"""

(
    X, X_N, X_D, X_H, X_W, IN_D, IN_H, IN_W, CHANNELS,
    OUT, OUT_N, OUT_D, OUT_H, OUT_W, COUNT_N, COUNT_D, COUNT_H, COUNT_W,
    B, B_GROUP, B_BLOCK, B_TAP, A_BLOCK, GROUPS, FILTERS, BLOCKS, WIDTH, SIZE,
    BIAS, RESIDUAL, FINISH,
    SD, SH, SW, KD, KH, KW,
    DIRECT, SPLIT, LENGTH, CHUNK,
    ROWS, TILES, SEGMENT, PART,
    TILE, TILE_ROWS, TILE_MORE,
    SCRATCH, SCRATCH_WORKER, PITCH, PLANE,
    OFFSETS,
) = range(53)  # fmt: skip
