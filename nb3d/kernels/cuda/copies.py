"""Operations that only move values: concatenation, transposes, slices, upsampling, padding, cropping, casts.

All are maps over strided operands: see ``device/strided.py``. A concatenation writes each input into its part of the
result; padding with a value writes that everywhere first; other padding reads what already stands in the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nb3d.kernels.case import OUT, Case, Kernel, Shape
from nb3d.kernels.cuda.arrays import Array
from nb3d.kernels.cuda.strides import AXES, Walk, apply_map, broadcast, contiguous, merged, strides_of, why_no_dtype

OPS = ("concatenate", "transpose", "slice", "upsample3d", "pad3d", "crop3d", "cast", "identity", "reshape",
       "broadcast_to", "pad", "assign", "unfold")  # fmt: skip
RESULT = -1
OUTSIDE = {"edge": (0, 0), "symmetric": (-1, 0), "reflect": (-1, 1)}  # mode of padding: stride, and first distance


@dataclass(frozen=True)
class Move:
    """Values that are copied.

    Attributes:
        source: The number of the input, ``RESULT`` for what stands in the result already.
        sizes: How many along each axis.
        read: How the source is walked.
        write: How the result is walked.
    """

    source: int
    sizes: Shape
    read: Walk
    write: Walk


def accepts(case: Case) -> str | None:
    """Accepts values of one dtype, which only ``cast`` and ``assign`` change, in walks of not too many axes."""
    if (reason := why_no_dtype(case)) is not None:
        return reason
    if case.op not in ("cast", "assign") and case.dtypes[0] != case.out_dtype:
        return "copies values of one dtype only"
    if case.op == "concatenate" and len(set(case.dtypes)) > 1:
        return "copies values of one dtype only"
    if case.op == "pad" and case.params[1] in ("reflect", "symmetric"):
        edge = int(case.params[1] == "reflect")
        for size, pair in zip(case.inputs[0], case.params[0], strict=True):
            if max(pair) > size - edge:
                return f"reflects once, and a margin of {max(pair)} voxels is wider than {size}"
    for move in _moves(case):
        axes = len(merged(move.sizes, [move.read, move.write])[0])
        if axes > AXES:
            return f"{axes} axes do not merge into {AXES}"
    return None


def _moves(case: Case) -> list[Move]:
    out = strides_of(case.out, case.pitch(OUT))
    own = strides_of(case.inputs[0], case.pitch(0))
    if case.op == "concatenate":
        axis, moves, begin = case.params[0] % len(case.out), [], 0
        for number, shape in enumerate(case.inputs):
            read = Walk(strides_of(shape, case.pitch(number)))
            moves.append(Move(number, shape, read, Walk(out, begin * out[axis])))
            begin += shape[axis]
        return moves
    if case.op == "transpose":
        return [Move(0, case.out, Walk(tuple(own[axis] for axis in case.params[0])), Walk(out))]
    if case.op == "slice":
        starts, steps = case.params
        strides = tuple(step * stride for step, stride in zip(steps, own, strict=True))
        return [Move(0, case.out, Walk(strides, _at(starts, own)), Walk(out))]
    if case.op == "upsample3d":
        n, d, h, w, c = case.inputs[0]
        fd, fh, fw = case.params
        repeated = (n, d, fd, h, fh, w, fw, c)
        read = Walk((own[0], own[1], 0, own[2], 0, own[3], 0, 1))
        return [Move(0, repeated, read, Walk(strides_of(repeated, case.pitch(OUT))))]
    if case.op in ("pad3d", "crop3d"):
        at_in, at_out = ((0, 0, 0), case.params) if case.op == "pad3d" else (case.params, (0, 0, 0))
        sizes = case.inputs[0] if case.op == "pad3d" else case.out
        return [Move(0, sizes, Walk(own, _at(at_in, own[1:4])), Walk(out, _at(at_out, out[1:4])))]
    if case.op == "pad":
        begin = _at([before for before, _ in case.params[0]], out)
        return [Move(0, case.inputs[0], Walk(own), Walk(out, begin)), *_margins(case)]
    if case.op in ("broadcast_to", "assign"):
        source = len(case.inputs) - 1
        return [Move(source, case.out, broadcast(case.inputs[source], case.out), Walk(out))]
    return [Move(0, case.inputs[0], Walk(own), Walk(own))]


def slices(case: Case) -> tuple[int, ...]:
    """All operands, where channels are put together, and voxels repeated, surrounded or cut off."""
    if case.op == "concatenate" and case.params[0] % len(case.out) != len(case.out) - 1:
        return ()
    whole = case.op in ("concatenate", "upsample3d", "pad3d", "crop3d")
    return (*range(len(case.inputs)), OUT) if whole else ()


def _at(corner: Sequence[int], strides: Sequence[int]) -> int:
    return sum(start * stride for start, stride in zip(corner, strides, strict=True))


def _margins(case: Case) -> Iterator[Move]:
    """The margins of one axis after the other, copied from what the result has along that axis; a value has none."""
    pairs, mode, _ = case.params
    if mode not in OUTSIDE:
        return
    (turn, away), out = OUTSIDE[mode], contiguous(case.out)
    for axis, (before, behind) in enumerate(pairs):
        # What earlier axes have got their margins in is whole there; of later ones only the middle stands yet.
        sizes = [whole if number < axis else size
                 for number, (whole, size) in enumerate(zip(case.out, case.inputs[0], strict=True))]  # fmt: skip
        corner = [0 if number < axis else pair[0] for number, pair in enumerate(pairs)]
        strides = tuple(turn * stride if number == axis else stride for number, stride in enumerate(out))
        size = case.inputs[0][axis]
        for count, first, seen in (
            (before, 0, before + away - turn * (before - 1)), (behind, before + size, before + size - 1 - away),
        ):  # fmt: skip
            if count:
                sizes[axis], corner[axis] = count, first
                write = Walk(out, _at(corner, out))
                corner[axis] = seen
                yield Move(RESULT, tuple(sizes), Walk(strides, _at(corner, out)), write)


def why_not_transposed(sizes: Shape, order: Shape) -> str | None:
    """Returns why an array cannot be transposed in one launch."""
    read, write, shape = _transposed(sizes, order)
    axes = len(merged(shape, [read, write])[0])
    return f"{axes} axes do not merge into {AXES}" if axes > AXES else None


def launch_transpose(x: Array, order: Shape, out: Array) -> None:
    """Launches a copy of an array with its axes in another order."""
    read, write, shape = _transposed(x.shape, order)
    apply_map("copy", shape, [(x, read)], out, write)


def _transposed(sizes: Shape, order: Shape) -> tuple[Walk, Walk, Shape]:
    own, shape = contiguous(sizes), tuple(sizes[axis] for axis in order)
    return Walk(tuple(own[axis] for axis in order)), Walk(contiguous(shape)), shape


def _filler(case: Case) -> float | None:
    """What is written everywhere first."""
    if case.op == "pad3d" and case.inputs[0] != case.out:
        return 0.0
    return case.params[2] if case.op == "pad" and case.params[1] == "constant" else None


def load(case: Case) -> Kernel:
    """Returns the kernel."""
    moves, filler = _moves(case), _filler(case)

    def copies(*arguments):
        out = arguments[len(case.inputs)]
        if filler is not None:
            apply_map("fill", case.out, [], out, Walk(strides_of(case.out, case.pitch(OUT))), filler)
        for move in moves:
            source = out if move.source == RESULT else arguments[move.source]
            if move.source != RESULT and source.address == out.address + move.write.offset * out.dtype.itemsize:
                continue  # the operand of a concatenation that was written in its place
            op = "truth" if out.dtype == "bool" and source.dtype != "bool" else "copy"
            apply_map(op, move.sizes, [(source, move.read)], out, move.write)

    return copies
