"""What a task of ``task.py`` reads: the names of its words. Addresses, distances and sizes of memory are in bytes.

``X*`` is the input, ``OUT*`` the output, ``N*`` values of a tile per axis, ``M*`` outputs of a tile, ``P*`` paddings
before, ``STEP*`` dilations, ``PHASES*`` residues modulo them that outputs have, ``TILES*`` tiles per axis and residue;
``V*`` transformed input, ``U*`` transformed weights (or those that ``WEIGHTS`` transforms, if it is not 0), ``S*``
products, ``*_NEXT`` from one frequency to the next; ``SLICE`` chunks of channels are multiplied at a time, in runs of
``RUN`` channels; ``AT_*`` places in the scratch of a worker.
"""

(
    X, X_N, X_H, X_W, X_D, IN_H, IN_W, IN_D,
    OUT, OUT_N, OUT_H, OUT_W, OUT_D, SIZE_H, SIZE_W, SIZE_D, RESIDUAL, BIAS,
    N_H, N_W, N_D, M_H, M_W, M_D, P_H, P_W, P_D, STEP_H, STEP_W, STEP_D, PHASES_H, PHASES_W, PHASES_D,
    TILES_H, TILES_W, TILES_D, TILES, SEGMENT,
    GROUPS, CHANNELS, FILTERS, SIZE,
    LANES_IN, CHUNKS, V_TILE, V_NEXT, V_CHUNK, U, U_BLOCK, U_NEXT, U_CHANNEL, U_RUN, RUN, SLICE, S_TILE, S_NEXT,
    LANES, COLUMNS, BLOCKS, PART, ROWS, BLOCK_ROWS,
    TILE, TILE_MORE, TILE_ROWS,
    LOAD, LOAD_LAST, SPREAD, WEIGHTS, GATHER, WRITE, WRITE_LAST, FINISH,
    SCRATCH, SCRATCH_WORKER, AT_V, AT_U, AT_S, AT_RING, RING, AT_TABLE, TABLE, AT_RUNS, AT_ZEROS, AT_RUBBISH, END,
) = range(86)  # fmt: skip
