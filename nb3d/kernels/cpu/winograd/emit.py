"""The transforms of one plane or line of a tile as straight vector code. ``transforms.py`` puts loops around it.

Along height and width at once: the first axis is transformed for one group of its results (``chains.py``), these are
kept in registers for all places of the second axis, which is then transformed and stored. With six values per axis that
keeps 18 of 32 vectors, and nothing is spilled but constants. Along depth: six loads, six or four results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from nb3d.kernels.cpu.memory import I64
from nb3d.kernels.cpu.vector_code import Vectors
from nb3d.kernels.cpu.winograd.chains import filter_chain, input_chain, input_groups, output_chain, output_groups
from nb3d.kernels.cpu.winograd.points import Axis, axis

AHEAD_IN = 4  # planes of the input that are fetched to L2 in advance
AHEAD_OUT = 1  # and of the output, to be written
AHEAD_WEIGHTS = 32 * 1024  # bytes


def _entry(builder: Any, table: Any, index: int) -> Any:
    """Entry ``index`` of a table of addresses."""
    where = builder.inttoptr(builder.add(table, I64(8 * index)), ir.PointerType(I64))
    return builder.load(where, typ=I64)


def _ahead(builder: Any, table: Any, index: int, entries: int, planes: int) -> Any:
    """The address of entry ``index`` some planes further on: steps follow the addresses."""
    step = _entry(builder, table, index + entries)
    return builder.add(_entry(builder, table, index), builder.mul(step, I64(planes)))


def _emit_inputs(vec: Vectors, h: Axis, w: Axis, table: Any, target: Any, seen: Any) -> None:
    """A plane of voxels -> ``n_h * n_w`` frequencies, side by side."""
    builder, entries = vec.builder, h.n * w.n
    mask = None if seen is None else vec.mask(seen)
    for entry in range(entries):
        vec.prefetch(_ahead(builder, table, entry, entries, AHEAD_IN))

    def load(entry: int) -> Any:
        address = _entry(builder, table, entry)
        return vec.load(address) if mask is None else vec.load_masked(address, mask)

    def store(frequency: int, value: Any) -> None:
        vec.store(value, builder.add(target, I64(frequency * vec.bytes)))

    _emit_frequencies(vec, h, w, input_chain, (h.n, w.n), load, store)


def _emit_frequencies(
    vec: Vectors, h: Axis, w: Axis, chain: Callable[..., Mapping[int, Any]], given: tuple[int, int],
    load: Callable[[int], Any], store: Callable[[int, Any], None],
) -> None:  # fmt: skip
    """``given`` values along height and width -> ``n_h * n_w`` frequencies."""
    rows, columns = given
    for group in input_groups(w):
        parts = [chain(vec, w, group, [partial(load, i * columns + j) for j in range(columns)]) for i in range(rows)]
        for fw in group:
            for part in input_groups(h):
                for fh, value in chain(vec, h, part, [partial(row.get, fw) for row in parts]).items():
                    store(fh * w.n + fw, value)


def _emit_outputs(
    vec: Vectors, h: Axis, w: Axis, frequency: Callable[[int], Any], write: Callable[[int, Any], None]
) -> None:
    """``n_h * n_w`` frequencies -> a plane of voxels."""
    for group in output_groups(w):
        rows = [output_chain(vec, w, group, [partial(frequency, i * w.n + j) for j in range(w.n)]) for i in range(h.n)]
        for ow in group:
            for part in output_groups(h):
                for oh, value in output_chain(vec, h, part, [partial(row.get, ow) for row in rows]).items():
                    write(oh * w.size + ow, value)


@intrinsic(prefer_literal=True)
def inputs(context, mh, kh, mw, kw, lanes, masked, dtype, table, target, seen):
    """One plane from voxels (a table of addresses, then of steps) to frequencies."""
    h, w = axis(mh.literal_value, kh.literal_value), axis(mw.literal_value, kw.literal_value)
    count, masks, name = lanes.literal_value, masked.literal_value, str(dtype.instance_type)

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        table, target, seen = arguments[-3:]
        _emit_inputs(Vectors(builder, name, count), h, w, table, target, seen if masks else None)
        return ctx.get_dummy_value()

    return types.void(mh, kh, mw, kw, lanes, masked, dtype, *[types.int64] * 3), generate


@intrinsic(prefer_literal=True)
def inputs_depth(context, m, k, lines, lanes, dtype, ring, slot, target):
    """``n_d`` planes in a ring, the first one at ``slot`` -> all frequencies of a tile, side by side."""
    d, count, name, number = (
        axis(m.literal_value, k.literal_value), lanes.literal_value, str(dtype.instance_type), lines.literal_value
    )  # fmt: skip

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        ring, slot, target = arguments[-3:]
        vec = Vectors(builder, name, count)
        planes = []
        for i in range(d.n):
            place = builder.add(slot, I64(i))
            beyond = builder.icmp_signed(">=", place, I64(d.n))
            place = builder.select(beyond, builder.sub(place, I64(d.n)), place)
            planes.append(builder.add(ring, builder.mul(place, I64(number * vec.bytes))))
        with cgutils.for_range(builder, I64(number)) as line:
            offset = builder.mul(line.index, I64(vec.bytes))
            to = builder.add(target, builder.mul(line.index, I64(d.n * vec.bytes)))
            loads = [partial(vec.load, builder.add(plane, offset)) for plane in planes]
            for group in input_groups(d):
                for f, value in input_chain(vec, d, group, loads).items():
                    vec.store(value, builder.add(to, I64(f * vec.bytes)))
        return ctx.get_dummy_value()

    return types.void(m, k, lines, lanes, dtype, *[types.int64] * 3), generate


@intrinsic(prefer_literal=True)
def filters(context, mh, kh, mw, kw, lanes, step, distance, dtype, source, target):
    """The taps of a plane, ``step`` bytes apart -> ``n_h * n_w`` frequencies, ``distance`` bytes apart."""
    h, w = axis(mh.literal_value, kh.literal_value), axis(mw.literal_value, kw.literal_value)
    count, name, given, made = lanes.literal_value, str(dtype.instance_type), step.literal_value, distance.literal_value

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target = arguments[-2:]
        vec = Vectors(builder, name, count)

        def load(tap: int) -> Any:
            return vec.load(builder.add(source, I64(tap * given)))

        def store(frequency: int, value: Any) -> None:
            vec.store(value, builder.add(target, I64(frequency * made)))

        for tap in range(h.taps * w.taps):
            vec.prefetch(builder.add(source, I64(tap * given + AHEAD_WEIGHTS)))
        _emit_frequencies(vec, h, w, filter_chain, (h.taps, w.taps), load, store)
        return ctx.get_dummy_value()

    return types.void(mh, kh, mw, kw, lanes, step, distance, dtype, types.int64, types.int64), generate


@intrinsic(prefer_literal=True)
def filters_depth(context, m, k, lines, lanes, distance, dtype, source, target):
    """The planes of ``filters``, one for every tap of the depth -> all frequencies, ``distance`` bytes apart."""
    d, count, name, number, made = (
        axis(m.literal_value, k.literal_value), lanes.literal_value, str(dtype.instance_type), lines.literal_value,
        distance.literal_value,
    )  # fmt: skip

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target = arguments[-2:]
        vec = Vectors(builder, name, count)
        with cgutils.for_range(builder, I64(number)) as line:
            begin = builder.add(source, builder.mul(line.index, I64(vec.bytes)))
            to = builder.add(target, builder.mul(line.index, I64(d.n * made)))
            loads = [partial(vec.load, builder.add(begin, I64(tap * number * vec.bytes))) for tap in range(d.taps)]
            for group in input_groups(d):
                for f, value in filter_chain(vec, d, group, loads).items():
                    vec.store(value, builder.add(to, I64(f * made)))
        return ctx.get_dummy_value()

    return types.void(m, k, lines, lanes, distance, dtype, types.int64, types.int64), generate


@intrinsic(prefer_literal=True)
def outputs_depth(context, m, k, lines, lanes, dtype, source, distance, target):
    """All frequencies of a tile, ``distance`` apart -> ``m_d`` planes, side by side."""
    d, count, name, number = (
        axis(m.literal_value, k.literal_value), lanes.literal_value, str(dtype.instance_type), lines.literal_value
    )  # fmt: skip

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, distance, target = arguments[-3:]
        vec = Vectors(builder, name, count)
        step = builder.mul(distance, I64(d.n))
        with cgutils.for_range(builder, I64(number)) as line:
            begin = builder.add(source, builder.mul(line.index, step))
            to = builder.add(target, builder.mul(line.index, I64(vec.bytes)))
            loads = [partial(vec.load, builder.add(begin, builder.mul(I64(f), distance))) for f in range(d.n)]
            for group in output_groups(d):
                for i, value in output_chain(vec, d, group, loads).items():
                    vec.store(value, builder.add(to, I64(i * number * vec.bytes)))
        return ctx.get_dummy_value()

    return types.void(m, k, lines, lanes, dtype, *[types.int64] * 3), generate


@intrinsic(prefer_literal=True)
def outputs(
    context, mh, kh, mw, kw, lanes, dense, masked, residual, relu, sent, dtype, table, source, distance, bias, seen
):  # fmt: skip
    """One plane from frequencies, ``distance`` apart or dense, to voxels (a table of addresses, steps, residuals)."""
    h, w = axis(mh.literal_value, kh.literal_value), axis(mw.literal_value, kw.literal_value)
    count, together, masks, adds, clips, sends = (
        flag.literal_value for flag in (lanes, dense, masked, residual, relu, sent)
    )
    name, entries = str(dtype.instance_type), h.size * w.size

    def generate(ctx: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        table, source, distance, bias, seen = arguments[-5:]
        vec = Vectors(builder, name, count)
        distance = I64(vec.bytes) if together else distance
        mask = vec.mask(seen) if masks else None
        load = (lambda address: vec.load_masked(address, mask)) if masks else vec.load
        for entry in range(0 if sends else entries):
            vec.prefetch(_ahead(builder, table, entry, entries, AHEAD_OUT), write=True)
        start = load(bias)

        def frequency(f: int) -> Any:
            return vec.load(builder.add(source, builder.mul(I64(f), distance)))

        def write(entry: int, value: Any) -> None:
            value = builder.fadd(value, start)
            if adds:
                value = builder.fadd(value, load(_entry(builder, table, entry + 2 * entries)))
            if clips:
                value = vec.clipped(value)
            if masks:
                vec.store_masked(value, _entry(builder, table, entry), mask)
            elif sends:
                vec.send(value, _entry(builder, table, entry))
            else:
                vec.store(value, _entry(builder, table, entry))

        _emit_outputs(vec, h, w, frequency, write)
        return ctx.get_dummy_value()

    kinds = (mh, kh, mw, kw, lanes, dense, masked, residual, relu, sent, dtype, *[types.int64] * 5)
    return types.void(*kinds), generate
