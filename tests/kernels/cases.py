"""One table of cases: the tests compare every kernel on them with the reference.

An example is a ``Case`` and how its inputs are drawn. Small ones sit on the edges: odd sizes, strides beyond the
kernel, one voxel, one channel, dilation, groups, uneven padding, NaN and infinities, ``float64``. Medium ones are large
enough for more than one thread. The layers that the benchmarks time are compared with the reference too, on smaller
volumes: ``tests/test_benchmarks.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import Case
from tests.kernels.elementwise_cases import of_one_value, of_several_values
from tests.kernels.example import F32, F64, LINEAR, NO, RELU, Example, plain
from tests.kernels.moving_cases import movements
from tests.kernels.normalization_cases import normalizations, normalizations_of_themselves


def window(n: int, k: int, s: int, d: int, padding: str | tuple[int, int]) -> tuple[int, int]:
    """Returns the output size and the padding before, as Keras computes them, or from voxels before and behind."""
    reach = (k - 1) * d + 1
    if isinstance(padding, tuple):
        return (n + sum(padding) - reach) // s + 1, padding[0]
    if padding == "valid":
        return (n - reach) // s + 1, 0
    size = -(-n // s)
    return size, max((size - 1) * s + reach - n, 0) // 2


def conv(
    sizes, ci, co, kernel=(3, 3, 3), strides=(1, 1, 1), dilations=(1, 1, 1), groups=1, padding="same", batch=1,
    bias=True, residual=False, activation=RELU, alpha=0.0, beta=math.inf, dtype=F32, constant=False, note="", **more,
) -> Example:  # fmt: skip
    """A convolution, padded as Keras does or by a pair per axis; ``constant`` weights may go through Winograd."""
    paddings = [padding] * 3 if isinstance(padding, str) else padding
    pairs = [window(*axis) for axis in zip(sizes, kernel, strides, dilations, paddings, strict=True)]
    out = (batch, *(size for size, _ in pairs), co)
    shapes = ((batch, *sizes, ci), (*kernel, ci // groups, co), (co,) if bias else NO, out if residual else NO)
    params = (*strides, *(before for _, before in pairs), *dilations, groups, activation, float(alpha), float(beta))
    name = f"conv3d {sizes} {ci}>{co} k{kernel} s{strides} d{dilations} g{groups} {padding} b{batch} "
    name += f"{bias}{residual}{activation} {dtype} {more.get('values', '')} {note}"
    known = (False, True, True, False) if constant else ()
    case = Case("conv3d", shapes, (dtype,) * 4, out, dtype, params, known)
    length = math.prod(kernel) * ci // groups
    if constant:  # transforms may err by 1e-5 of the largest output, and that is some 5 * sqrt(length)
        length = int(200 * math.sqrt(length))
    return Example(f"{name} constant" if constant else name, case, length=length, **more)


def transposed(
    sizes, ci, co, kernel=(2, 2, 2), strides=(2, 2, 2), dilations=(1, 1, 1), paddings=(0, 0, 0), out=None, batch=1,
    bias=True, activation=LINEAR, dtype=F32, note="", **more,
) -> Example:  # fmt: skip
    """A transposed convolution; ``out`` is its size, by default all that it reaches."""
    axes = zip(sizes, kernel, strides, dilations, paddings, strict=True)
    out = (batch, *(out or [(n - 1) * s + (k - 1) * d + 1 - p for n, k, s, d, p in axes]), co)
    shapes = ((batch, *sizes, ci), (*kernel, co, ci), (co,) if bias else NO)
    params = (*strides, *paddings, *dilations, activation, 0.0, math.inf)
    name = f"conv3d_transpose {sizes} {ci}>{co} k{kernel} s{strides} d{dilations} p{paddings} o{out} "
    name += f"{activation} {dtype} {more.get('values', '')} {note}"
    case = Case("conv3d_transpose", shapes, (dtype,) * 3, out, dtype, params)
    return Example(name, case, length=math.prod(kernel) * ci, **more)


def pool(op, sizes, channels, size=(2, 2, 2), strides=(2, 2, 2), padding="valid", batch=1, dtype=F32, **more):
    pairs = [window(n, k, s, 1, padding) for n, k, s in zip(sizes, size, strides, strict=True)]
    out = (batch, *(n for n, _ in pairs), channels)
    name = f"{op} {sizes}x{channels} k{size} s{strides} {padding} b{batch} {dtype} {more.get('values', '')}"
    params = (*size, *strides, *(before for _, before in pairs))
    case = Case(op, ((batch, *sizes, channels),), (dtype,), out, dtype, params)
    return Example(name, case, length=math.prod(size), **more)


MARGINS = (((1, 0), (4, 5), (3, 0)), ((-1, -2), (-2, 0), (-3, -1)), ((-1, 4), (3, -2), (0, 0)))


def convolutions() -> Iterator[Example]:
    yield conv((5, 6, 7), 3, 4)
    yield conv((5, 6, 7), 3, 40, batch=2, residual=True)
    yield conv((5, 6, 7), 3, 18, residual=True, bias=False, activation=LINEAR)
    yield conv((4, 5, 6), 2, 3, bias=False, activation=LINEAR, note="bare")
    yield conv((5, 6, 17), 8, 36, strides=(2, 2, 2), batch=2)
    yield conv((6, 4, 8), 4, 8, strides=(2, 2, 2), note="uneven padding")
    yield conv((9, 10, 11), 4, 5, kernel=(2, 4, 5), strides=(3, 5, 7), note="stride beyond the kernel")
    yield conv((9, 10, 11), 4, 5, kernel=(1, 2, 2), strides=(3, 5, 7), padding="valid")
    yield conv((9, 10, 17), 8, 36, dilations=(2, 2, 2))
    yield conv((9, 4, 9), 3, 7, dilations=(1, 5, 2), note="dilation beyond the volume")
    yield conv((9, 10, 17), 8, 12, groups=4)
    yield conv((9, 10, 17), 8, 12, groups=2, dilations=(1, 2, 3), padding="valid")
    yield conv((9, 10, 17), 8, 16, groups=8, note="two filters per channel")
    yield conv((6, 7, 8), 6, 6, groups=6, note="depthwise")
    yield conv((6, 7, 8), 19, 19, groups=19, strides=(2, 1, 3), dilations=(1, 2, 1), residual=True, note="depthwise")
    yield conv((5, 4, 3), 8, 16, kernel=(1, 1, 1), batch=2, residual=True)
    yield conv((5, 4, 7), 8, 16, kernel=(1, 1, 1), strides=(2, 2, 2))
    yield conv((5, 4, 7), 6, 9, kernel=(1, 1, 1), groups=3)
    yield conv((9, 10, 17), 8, 16, kernel=(2, 4, 5), padding="valid")
    yield conv((7, 8, 9), 5, 6, kernel=(1, 3, 1))
    yield conv((7, 8, 9), 5, 6, kernel=(3, 1, 1), padding="valid")
    yield conv((1, 1, 1), 8, 16, note="one voxel")
    yield conv((1, 1, 1), 1, 1, note="one value")
    yield conv((6, 5, 9), 1, 1, note="one channel")
    yield conv((2, 3, 4), 1, 33, kernel=(7, 7, 7), note="kernel beyond the volume")
    yield conv((2, 3, 200), 17, 70, note="long row")
    yield conv((4, 4, 4), 64, 128)
    yield conv((3, 3, 3), 300, 10, note="many channels")
    yield conv((4, 5, 6), 8, 5, values="special")
    yield conv((4, 5, 6), 8, 8, groups=8, values="special", note="depthwise")
    for padding in MARGINS:
        yield conv((7, 6, 19), 5, 18, padding=padding)
        yield conv((7, 6, 19), 6, 6, groups=6, padding=padding, strides=(1, 2, 3))
        yield conv((7, 6, 19), 6, 9, kernel=(1, 1, 1), padding=padding)
    elu = {"activation": int(Activation.ELU), "alpha": 1.0}
    for dtype in (F32, F64):
        yield conv((5, 4, 15), 6, 21, strides=(1, 2, 1), residual=True, dtype=dtype, **elu)
    yield conv((5, 4, 5), 9, 9, groups=9, dtype=F64)
    for filters in (1, 2, 4, 5, 8, 9, 24, 34, 40):
        yield conv((4, 5, 27), 3, filters, residual=True, note="few filters")
        yield conv((4, 5, 27), 3, filters, values="special", note="few filters")
        yield conv((3, 4, 9), 5, filters, kernel=(1, 1, 1), dtype=F64, note="few filters")
    for channels in (1, 2, 4, 8, 16, 48, 64):
        yield conv((3, 5, 7), channels, 1, kernel=(1, 1, 1), note="dots")
        yield conv((3, 5, 7), channels, 2, kernel=(1, 1, 1), bias=False, values="special", note="dots", **elu)
        yield conv((17, 19, 23), channels, 2, kernel=(1, 1, 1), dtype=F64, batch=2, note="dots")
    for groups, each in ((2, 3), (3, 8), (5, 2), (16, 4), (4, 12), (7, 3), (2, 20)):
        yield conv((4, 5, 27), groups * each, groups * each, groups=groups, residual=True, note="square groups")
        yield conv((4, 5, 9), groups * each, 2 * groups * each, groups=groups, strides=(1, 2, 2), note="wide groups")
        yield conv((4, 5, 9), 2 * groups * each, groups * each, groups=groups, padding="valid", note="narrow groups")
    yield conv((4, 5, 9), 16, 16, groups=4, values="special", note="square groups")
    yield conv((4, 5, 9), 12, 12, groups=6, dtype=F64, note="square groups")
    yield conv((12, 14, 33), 16, 24, residual=True, note="medium")
    yield conv((12, 14, 33), 16, 24, strides=(2, 2, 2), groups=2, note="medium")
    yield conv((6, 6, 6), 96, 160, note="medium, filters divided")
    yield conv((12, 24, 24), 16, 16, groups=16, note="medium, depthwise")
    yield conv((12, 24, 24), 24, 20, kernel=(1, 1, 1), note="medium")


def convolutions_of_constants() -> Iterator[Example]:
    elu = {"activation": int(Activation.ELU), "alpha": 1.0}
    known = {"constant": True}
    for padding in MARGINS:
        yield conv((7, 6, 19), 18, 21, padding=padding, residual=True, **known)
        yield conv((7, 6, 19), 18, 21, padding=padding, dilations=(2, 2, 3), **known, **elu)
    yield conv((9, 10, 11), 8, 20, dilations=(2, 3, 1), batch=2, residual=True, **known)
    yield conv((9, 10, 11), 8, 20, dilations=(1, 2, 4), groups=2, padding="valid", **known)
    yield conv((5, 4, 6), 4, 8, dilations=(7, 2, 16), **known, note="dilation beyond the volume")
    yield conv((9, 10, 11), 24, 20, batch=2, residual=True, **known)
    yield conv((5, 4, 6), 100, 130, batch=2, residual=True, **known, note="large weights")
    yield conv((5, 6, 7), 8, 40, padding="valid", bias=False, activation=LINEAR, **known)
    yield conv((7, 8, 9), 16, 32, kernel=(1, 3, 3), residual=True, **elu, **known)
    yield conv((7, 8, 9), 12, 16, kernel=(3, 1, 1), padding="valid", **known)
    yield conv((7, 8, 9), 17, 33, kernel=(3, 3, 1), batch=3, **elu, **known)
    yield conv((6, 7, 8), 8, 16, kernel=(5, 5, 5), **known)
    yield conv((6, 7, 8), 8, 18, kernel=(2, 2, 2), **known)
    yield conv((6, 7, 8), 16, 24, groups=2, **known)
    yield conv((1, 1, 1), 8, 16, note="one voxel", **known)
    yield conv((6, 7, 8), 9, 5, dtype=F64, residual=True, **known)
    yield conv((17, 18, 19), 32, 64, note="medium", **known)


def transposed_convolutions() -> Iterator[Example]:
    yield transposed((3, 4, 5), 6, 7)
    yield transposed((3, 4, 5), 6, 20, kernel=(3, 3, 3), paddings=(0, 0, 0), out=(6, 8, 10), batch=2)
    yield transposed((3, 4, 5), 3, 4, kernel=(3, 3, 3), paddings=(1, 1, 1), out=(6, 8, 10), activation=RELU)
    yield transposed((3, 4, 5), 3, 4, kernel=(4, 4, 4), paddings=(1, 1, 1), out=(6, 8, 10), bias=False)
    yield transposed((3, 2, 5), 3, 4, kernel=(2, 1, 3), strides=(3, 4, 5))
    yield transposed((3, 2, 5), 3, 4, kernel=(2, 1, 3), strides=(3, 4, 5), out=(11, 9, 26))
    yield transposed((4, 4, 4), 3, 4, kernel=(3, 3, 3), strides=(1, 1, 1), paddings=(1, 1, 1), out=(4, 4, 4))
    yield transposed((4, 4, 4), 3, 4, kernel=(3, 3, 3), strides=(1, 1, 1), dilations=(2, 2, 2))
    yield transposed((4, 3, 5), 3, 4, kernel=(3, 2, 3), strides=(2, 3, 2), dilations=(3, 2, 2))
    yield transposed((1, 1, 1), 1, 1)
    yield transposed((3, 4, 5), 6, 7, kernel=(3, 3, 3), dtype=F64)
    yield transposed((3, 4, 5), 6, 8, batch=2, activation=RELU, note="product")
    yield transposed((3, 4, 7), 5, 3, kernel=(3, 1, 2), strides=(3, 1, 2), bias=False, note="product")
    yield transposed((2, 3, 4), 4, 1, kernel=(1, 2, 4), strides=(1, 2, 4), dilations=(2, 1, 1), note="product")
    yield transposed((3, 4, 5), 6, 9, dtype=F64, note="product")
    yield transposed((8, 10, 24), 16, 40, note="medium, product")
    yield transposed((3, 4, 5), 6, 7, values="special")
    yield transposed((8, 10, 12), 32, 20, kernel=(3, 3, 3), paddings=(0, 0, 0), out=(16, 20, 24))


def pools() -> Iterator[Example]:
    for op in ("max_pool3d", "average_pool3d"):
        yield pool(op, (4, 6, 8), 5)
        yield pool(op, (5, 6, 7), 3, size=(3, 3, 3), padding="same", batch=2)
        yield pool(op, (5, 7, 9), 1, size=(3, 2, 3), strides=(1, 1, 1), padding="same")
        yield pool(op, (5, 7, 9), 17, size=(1, 2, 1), strides=(4, 3, 2), padding="valid")
        yield pool(op, (1, 1, 1), 1, size=(1, 1, 1))
        yield pool(op, (4, 6, 8), 5, values="special")
        yield pool(op, (4, 6, 8), 5, dtype=F64)
        yield pool(op, (16, 24, 24), 32)
    yield pool("max_pool3d", (4, 6, 8), 5, dtype="int32")
    for op in ("adaptive_max_pool3d", "adaptive_average_pool3d"):
        for sizes, channels, out, dtype in (
            ((5, 6, 7), 3, (2, 3, 4), F32),
            ((1, 7, 40), 17, (1, 3, 9), F64),
            ((2, 3, 4), 1, (3, 5, 4), F32),
            ((1, 1, 1), 1, (1, 1, 1), F32),
            ((16, 24, 25), 32, (5, 6, 7), F32),
        ):
            yield plain(op, ((2, *sizes, channels),), (2, *out, channels), (), dtype, length=math.prod(sizes))
        yield plain(op, ((1, 4, 6, 8, 5),), (1, 2, 3, 3, 5), values="special", length=9)
    yield plain("adaptive_max_pool3d", ((1, 4, 6, 8, 5),), (1, 2, 3, 3, 5), dtypes="int32")


def activations() -> Iterator[Example]:
    two = {"relu": [(0.0, math.inf), (0.1, 6.0)], "elu": [(1.0, 0.0)], "celu": [(1.5, 0.0)],
           "hard_sigmoid": [(1 / 6, 0.5), (0.2, 0.5)], "gelu": [(0.0, 0.0), (1.0, 0.0)], "hard_shrink": [(0.5, 0.0)],
           "soft_shrink": [(0.5, 0.0)], "threshold": [(0.5, -2.0)], "squareplus": [(4.0, 0.0)]}  # fmt: skip
    for code in Activation:
        op = code.name.lower()
        for params in two.get(op, [(0.0, 0.0)]):
            for dtype in (F32, F64):
                yield plain(op, ((3, 5, 7),), (3, 5, 7), params, dtype, values="special")
        yield plain(op, ((300_000,),), (300_000,), two.get(op, [(0.0, 0.0)])[0], note="medium")
    shape = (2, 3, 4, 5, 6)
    for slope in ((6,), (1, 1, 1, 6), (3, 4, 5, 6), (1, 1, 5, 6), (3, 1, 1, 6), (3, 4, 5, 1)):
        yield plain("prelu", (shape, slope), shape)
    yield plain("prelu", (shape, (6,)), shape, dtypes=F64, values="special")
    yield plain("prelu", ((40, 40, 40, 6), (6,)), (40, 40, 40, 6), note="medium")


def products() -> Iterator[Example]:
    sizes = [(1, 1, 1), (3, 7, 5), (1, 300, 130), (29, 64, 33), (5, 9, 40), (70, 200, 90)]
    for (rows, inside, outside), dtype in [*((size, F32) for size in sizes), ((5, 9, 40), F64)]:
        shapes = ((rows, inside), (inside, outside), (outside,))
        yield plain("dense", shapes, (rows, outside), (RELU, 0.0, math.inf), dtype, length=inside)
    yield plain("dense", ((3, 7), (7, 5), NO), (3, 5), (LINEAR, 0.0, 0.0), length=7)
    yield plain("dense", ((3, 7), (7, 5), NO), (3, 5), (LINEAR, 0.0, 0.0), values="special", length=7)
    yield plain("matmul", ((2, 1, 3, 4), (5, 4, 6)), (2, 5, 3, 6), length=4)
    yield plain("matmul", ((2, 1, 3, 4), (5, 4, 6)), (2, 5, 3, 6), values="special", length=4)
    for rows, inside, outside in [(1, 1, 1), (37, 5, 1), (1, 70, 90), (29, 64, 33), (15, 3000, 20), (300, 17, 70)]:
        for batch, dtype in ((1, F32), (3, F64)):
            shapes = ((batch, rows, inside), (batch, inside, outside))
            yield plain("matmul", shapes, (batch, rows, outside), dtypes=dtype, length=inside)
    yield plain("matmul", ((40, 7), (7, 130)), (40, 130), length=7)
    yield plain("matmul", ((4, 2, 210, 16), (4, 2, 16, 210)), (4, 2, 210, 210), length=16, note="medium")
    yield plain("matmul", ((2, 1, 3, 4), (5, 4, 6)), (2, 5, 3, 6), dtypes="int64", length=4)


    yield plain("einsum", ((2, 3, 4), (2, 5, 4)), (2, 5, 3), ("abc,adc->adb",), length=4)
    yield plain("einsum", ((2, 3, 4),), (4, 2), ("abc->ca",), F64, length=3)
    yield plain("einsum", ((3, 3), (3,), (4,)), (4,), ("aa,a,b->b",), length=3)


def resampled() -> Iterator[Example]:
    for dtype in (F32, F64, "int32", "bool"):
        yield plain("upsample3d", ((2, 3, 4, 5, 6),), (2, 6, 12, 5, 6), (2, 3, 1), dtype)
    yield plain("upsample3d", ((1, 2, 3, 4, 1),), (1, 2, 3, 8, 1), (1, 1, 2))
    yield plain("upsample3d", ((1, 10, 12, 14, 24),), (1, 20, 24, 28, 24), (2, 2, 2), note="medium")
    for factors in ((2, 2, 2), (3, 1, 4), (1, 5, 2), (4, 3, 1)):
        for channels in (1, 3, 18):
            out = (2, 3 * factors[0], 2 * factors[1], 5 * factors[2], channels)
            yield plain("upsample3d_linear", ((2, 3, 2, 5, channels),), out, factors)
        yield plain("upsample3d_linear", ((2, 3, 2, 5, 6),), (*out[:4], 6), factors, values="special")
    yield plain("upsample3d_linear", ((1, 1, 1, 1, 5),), (1, 2, 3, 4, 5), (2, 3, 4), note="one voxel")
    yield plain("upsample3d_linear", ((1, 3, 4, 5, 9),), (1, 6, 8, 15, 9), (2, 2, 3), F64)
    yield plain("upsample3d_linear", ((1, 10, 12, 14, 24),), (1, 20, 24, 28, 24), (2, 2, 2), note="medium")
    yield plain("pad3d", ((2, 3, 4, 5, 6),), (2, 4, 4, 8, 6), (1, 0, 2))
    yield plain("crop3d", ((2, 3, 4, 5, 6),), (2, 2, 4, 1, 6), (1, 0, 2))
    for dtype in (F64, "int32", "bool"):
        yield plain("pad3d", ((2, 3, 4, 5, 3),), (2, 9, 5, 6, 3), (4, 1, 0), dtype)
        yield plain("crop3d", ((2, 3, 4, 5, 3),), (2, 3, 1, 4, 3), (0, 2, 1), dtype)
    yield plain("pad3d", ((1, 20, 30, 40, 5),), (1, 22, 32, 42, 5), (1, 1, 1), note="medium")


def arithmetic() -> Iterator[Example]:
    one_of_float = ["abs", "negative", "exp", "expm1", "square", "sign", "floor", "ceil", "round", "sin", "cos", "erf"]
    for op in one_of_float:
        yield plain(op, ((3, 5, 7),), (3, 5, 7))
        yield plain(op, ((3, 5),), (3, 5), dtypes=F64)
    for op in ("log", "log1p", "sqrt", "rsqrt", "reciprocal"):
        yield plain(op, ((3, 5, 7),), (3, 5, 7), values="positive")
    for op in ("tan", "arctan", "sinh", "cosh", "arcsinh", "exp2", "cbrt", "trunc", "arcsin", "arccos", "arctanh"):
        yield plain(op, ((3, 5),), (3, 5), values="special")
    for op in ("log2", "log10", "arccosh"):
        yield plain(op, ((3, 5),), (3, 5), dtypes=F64, values="positive")
    for op in ("arctan2", "hypot", "logaddexp"):
        yield plain(op, ((3, 5), (5,)), (3, 5), values="special")
    for op in ("isnan", "isfinite", "isinf"):
        yield plain(op, ((3, 5, 7),), (3, 5, 7), out_dtype="bool", values="special")
    yield plain("logical_not", ((3, 5),), (3, 5), dtypes="bool")
    for op in ("abs", "negative", "square", "sign"):
        yield plain(op, ((3, 5),), (3, 5), dtypes="int64")
    for op in ("add", "subtract", "multiply", "divide", "floor_divide", "mod", "power", "maximum", "minimum"):
        yield plain(op, ((3, 5, 7), (3, 5, 7)), (3, 5, 7), values="positive")
        yield plain(op, ((3, 1, 7), (5, 1)), (3, 5, 7), values="positive")
        yield plain(op, ((3, 5), (3, 5)), (3, 5), dtypes="int64", values="positive",
                    out_dtype=F32 if op == "divide" else "int64")  # fmt: skip
    yield plain("add", ((3, 5, 7), (3, 5, 7)), (3, 5, 7), values="special")
    yield plain("add", ((3, 5, 7), (3, 5, 7)), (3, 5, 7), dtypes=F64)
    yield plain("add", ((300_000,), (300_000,)), (300_000,), note="medium")
    whole = (2, 3, 4, 5, 6)
    for op in ("add", "subtract", "multiply", "divide", "maximum", "minimum"):
        for part in ((), (6,), (5, 6), (2, 1, 1, 1, 6), (3, 1, 1, 1), (1, 3, 1, 1, 1), (2, 1, 1, 1, 1)):
            yield plain(op, (whole, part), whole, values="positive")
            yield plain(op, (part, whole), whole, values="positive")
        yield plain(op, (whole, (4, 1, 6)), whole, dtypes=F64, values="positive")
        yield plain(op, (whole, (6,)), whole, dtypes=F64, values="positive")
        yield plain(op, ((3, 40, 50, 70), (3, 1, 1, 70)), (3, 40, 50, 70), values="positive", note="medium, repeated")
    for op in ("multiply", "maximum", "minimum"):
        yield plain(op, (whole, (6,)), whole, values="special")
    for op in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
        yield plain(op, ((3, 5), (5,)), (3, 5), out_dtype="bool", values="special")
        yield plain(op, ((3, 5), (5,)), (3, 5), dtypes="int32", out_dtype="bool")
    for op in ("logical_and", "logical_or", "logical_xor"):
        yield plain(op, ((3, 5), (5,)), (3, 5), dtypes="bool")
    yield plain("clip", ((3, 5, 7),), (3, 5, 7), (-0.5, 0.75), values="special")
    yield plain("where", ((3, 5), (5,), (3, 1)), (3, 5), dtypes=("bool", F32, F32), out_dtype=F32)


def reductions() -> Iterator[Example]:
    for op in ("sum", "mean", "max", "min", "prod", "variance"):
        for axes, out in (((1, 2), (3, 6)), ((0,), (4, 5, 6)), ((0, 1, 2, 3), ()), ((3,), (3, 4, 5, 1))):
            yield plain(op, ((3, 4, 5, 6),), out, (axes,), length=360)
        to = F32 if op in ("mean", "variance") else "int64"
        yield plain(op, ((3, 4),), (3,), ((1,),), "int64", out_dtype=to, length=4)
    for op in ("sum", "mean", "max", "min"):
        yield plain(op, ((2, 3, 4, 5, 6),), (2, 6), ((1, 2, 3),), length=60)
        yield plain(op, ((2, 3, 4, 5, 6),), (2, 1, 1, 1, 6), ((-4, -3, -2),), F64, length=60)
        yield plain(op, ((2, 6, 3, 4, 5),), (2, 6), ((2, 3, 4),), length=60)
        yield plain(op, ((2, 9, 9, 9, 70),), (2, 70), ((1, 2, 3),), length=729)
        yield plain(op, ((3, 5000),), (5000,), ((0,),), length=3)
        yield plain(op, ((5, 1, 7),), (5, 1), ((2,),), values="special", length=7)
        yield plain(op, ((5, 9, 4, 7),), (5, 4), ((1, 3),), length=63)
        yield plain(op, ((1, 40, 41, 42, 3),), (1, 3), ((1, 2, 3),), length=68880, note="medium")
    for op in ("any", "all"):
        yield plain(op, ((3, 4, 5),), (3,), ((1, 2),), "bool")
    for op in ("argmax", "argmin"):
        yield plain(op, ((3, 4, 5),), (3, 5), (1,), out_dtype="int64")
    for op in ("cumsum", "cumprod", "sort", "argsort"):
        for axis, dtype in ((0, F32), (1, F64), (2, "int32")):
            out = "int32" if op == "argsort" else dtype
            yield plain(op, ((3, 4, 5),), (3, 4, 5), (axis,), dtype, out, length=5)


def structure() -> Iterator[Example]:
    x = (2, 3, 4)
    for dtype in (F32, "int64", "bool"):
        yield plain("identity", (x,), x, dtypes=dtype)
        yield plain("reshape", (x,), (6, 4), dtypes=dtype)
        yield plain("concatenate", ((2, 3), (2, 1), (2, 5)), (2, 9), (1,), dtype)
    for to in (F64, "int32", "bool"):
        yield plain("cast", (x,), x, dtypes=F32, out_dtype=to)
    yield plain("unfold", ((6, 4), (2, 3, 7)), (2, 3, 4))
    yield plain("assign", ((2, 3), (3,)), (2, 3))
    yield plain("assign", ((2, 3), ()), (2, 3))
    yield plain("concatenate", ((2, 3, 4, 5, 6), (2, 3, 4, 5, 7)), (2, 3, 4, 5, 13), (-1,))
    yield plain("concatenate", ((2, 3, 4), (2, 1, 4)), (2, 4, 4), (1,))
    yield plain("concatenate", ((20, 30, 40, 16), (20, 30, 40, 8)), (20, 30, 40, 24), (3,), note="medium")
    for mode in ("constant", "edge", "reflect", "symmetric"):
        yield plain("pad", ((3, 4),), (5, 7), (((1, 1), (0, 3)), mode, 2.0))
        yield plain("pad", ((3, 4),), (3, 5), (((0, 0), (1, 0)), mode, 0.0), "int64")
    yield plain("take", ((9, 4), (2, 3)), (2, 3, 4), (0,), (F32, "int32"), F32)
    yield plain("take", ((2, 9), ()), (2,), (1,), (F64, "int32"), F64)
    yield plain("take_along_axis", ((9, 4), (2, 1)), (2, 4), (0,), (F32, "int32"), F32)
    yield plain("normal", (x,), x, (np.random.default_rng(3),))
    yield plain("dropout", (x,), x, (0.4, (2, 1, 4), np.random.default_rng(3)))


EXAMPLES: tuple[Example, ...] = (
    *convolutions(), *convolutions_of_constants(), *transposed_convolutions(), *pools(), *activations(),
    *normalizations(), *normalizations_of_themselves(), *products(), *resampled(), *arithmetic(), *reductions(),
    *structure(), *movements(), *of_one_value(), *of_several_values(),
)  # fmt: skip
