"""Operations that only move values: concatenation, transposes, slices, upsampling, padding, cropping, casts.

All are maps over strided operands: see ``device/strided.py``. A concatenation writes each input into its part of the
result; padding writes zeros first.
"""

from __future__ import annotations

import math

from nb3d.kernels.case import Case, Kernel, Shape
from nb3d.kernels.cuda.strides import AXES, Walk, apply_map, broadcast, contiguous, merged

OPS = ("concatenate", "transpose", "slice", "upsample3d", "pad3d", "crop3d", "cast", "identity", "reshape",
       "broadcast_to")  # fmt: skip

Move = tuple[int, Shape, Walk, Walk]  # which input, sizes, how it is read, how the result is written


def accepts(case: Case) -> str | None:
    """Accepts values of one dtype, which only ``cast`` changes, in walks of not too many axes."""
    if case.op != "cast" and any(dtype != case.out_dtype for dtype in case.dtypes):
        return "copies values of one dtype only"
    if case.op == "cast" and case.out_dtype == "bool":
        return "does not cast to truth values"
    for _, sizes, read, write in _moves(case):
        axes = len(merged(sizes, [read, write])[0])
        if axes > AXES:
            return f"{axes} axes do not merge into {AXES}"
    return None


def _moves(case: Case) -> list[Move]:
    out = contiguous(case.out)
    own = contiguous(case.inputs[0])
    if case.op == "concatenate":
        axis, moves, begin = case.params[0] % len(case.out), [], 0
        for number, shape in enumerate(case.inputs):
            moves.append((number, shape, Walk(contiguous(shape)), Walk(out, begin * out[axis])))
            begin += shape[axis]
        return moves
    if case.op == "transpose":
        return [(0, case.out, Walk(tuple(own[axis] for axis in case.params[0])), Walk(out))]
    if case.op == "slice":
        starts, steps = case.params
        offset = sum(start * stride for start, stride in zip(starts, own, strict=True))
        return [(0, case.out, Walk(tuple(s * stride for s, stride in zip(steps, own, strict=True)), offset), Walk(out))]
    if case.op == "upsample3d":
        n, d, h, w, c = case.inputs[0]
        fd, fh, fw = case.params
        repeated = (n, d, fd, h, fh, w, fw, c)
        return [(0, repeated, Walk((own[0], own[1], 0, own[2], 0, own[3], 0, 1)), Walk(contiguous(repeated)))]
    if case.op in ("pad3d", "crop3d"):
        at_in, at_out = ((0, 0, 0), case.params) if case.op == "pad3d" else (case.params, (0, 0, 0))
        sizes = case.inputs[0] if case.op == "pad3d" else case.out
        return [(0, sizes, _inside(own, at_in), _inside(out, at_out))]
    if case.op == "broadcast_to":
        return [(0, case.out, broadcast(case.inputs[0], case.out), Walk(out))]
    return [(0, case.inputs[0], Walk(own), Walk(own))]


def _inside(strides: Shape, corner: Shape) -> Walk:
    return Walk(strides, sum(start * stride for start, stride in zip(corner, strides[1:4], strict=True)))


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    moves = _moves(case)
    zeros = case.op == "pad3d" and case.inputs[0] != case.out

    def copies(*arguments):
        out = arguments[len(case.inputs)]
        if zeros:
            whole = (math.prod(case.out),)
            apply_map("fill", whole, [], out, Walk((1,)))
        for number, sizes, read, write in moves:
            apply_map("copy", sizes, [(arguments[number], read)], out, write)

    return copies
