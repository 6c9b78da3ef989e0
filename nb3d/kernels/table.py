"""The table: which implementations every operation has on which device, best first, reference last.

It is data. A row names a module, which is imported when a case first asks for it, so that importing the table loads no
kernel and no Numba. A module of kernels offers

    accepts(case) -> str | None        None, or the reason why it cannot compute the case
    load(case) -> kernel               compiled on its first call
    prepare(case, inputs) -> inputs    optional: packs constant weights once
    scratch(case, threads) -> int      optional: bytes of scratch it needs
    declines(case) -> str | None       optional: the reason why another one should compute a case that it could
    slices(case) -> positions          optional: operands that may be slices of the channels of larger arrays
    overwrites(case) -> positions      optional: inputs whose memory may be the output's

The environment variable ``NB3D_IMPL`` forces implementations: ``conv3d:direct,softmax:reference``. ``*:reference``
stands for every operation that has one of that name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module

import numpy as np

from nb3d.kernels.activations import Activation
from nb3d.kernels.case import Arrays, Case, Implementation, leave_as_is, never, no_scratch, none
from nb3d.kernels.policy import Policy, current

_ACTIVATIONS = tuple(code.name.lower() for code in Activation)

_BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum")

_POOLING = ("max_pool3d", "average_pool3d", "adaptive_max_pool3d", "adaptive_average_pool3d")

# What compiled kernels compute value by value, of operands of any shapes.
_FUNCTIONS = (
    *_BINARY, "prelu", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and",
    "logical_or", "logical_not", "isnan", "isfinite", "isinf", "where", "abs", "negative", "square", "sign",
    "reciprocal", "sqrt", "rsqrt", "exp", "expm1", "erf", "floor", "ceil", "clip",
)  # fmt: skip

# What CUDA computes in the same way, besides the activations; and what only moves values.
_MAPS = (
    *_FUNCTIONS, "log", "log1p", "batch_normalization", "logical_xor", "round", "trunc", "floor_divide", "mod", "power",
    "arcsin", "arccos", "arctan", "sinh", "cosh", "arcsinh", "arccosh", "arctanh", "log2", "log10", "exp2", "cbrt",
    "arctan2", "hypot", "logaddexp", "sin", "cos", "tan",
)  # fmt: skip
_COPIES = (
    "concatenate", "transpose", "slice", "upsample3d", "pad3d", "crop3d", "cast", "identity", "reshape", "broadcast_to",
    "pad", "assign", "unfold",
)  # fmt: skip
_HALOS = ("bf16", "tf32", "tf32x3", "halo", "stem")
_REDUCTIONS = ("sum", "mean", "max", "min", "prod", "any", "all", "variance")

_REFERENCE: dict[str, str] = {
    "convolution": "conv3d conv3d_transpose",
    "linear": "dense matmul einsum",
    "pooling": " ".join(_POOLING),
    "resampling": "upsample3d upsample3d_linear pad3d crop3d",
    "normalization": "batch_normalization normalization softmax log_softmax sparsemax",
    "activations": " ".join((*_ACTIVATIONS, "prelu")),
    "elementwise": "abs negative exp log log1p expm1 sqrt rsqrt square reciprocal sign floor ceil round sin cos erf "
    "isnan isfinite isinf logical_not add subtract multiply divide floor_divide mod power maximum minimum equal "
    "not_equal less less_equal greater greater_equal logical_and logical_or logical_xor clip where tan arcsin arccos "
    "arctan sinh cosh arcsinh arccosh arctanh log2 log10 exp2 cbrt trunc arctan2 hypot logaddexp",
    "reductions": "sum mean max min prod any all variance argmax argmin cumsum cumprod",
    "indexing": "take take_along_axis sort argsort",
    "shaping": "identity reshape unfold cast broadcast_to assign concatenate transpose slice pad",
    "random": "dropout normal",
}

# (operation, device, name, module), best first; what follows for every operation is its reference.
_ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("conv3d", "cpu", "dots", "nb3d.kernels.cpu.conv3d_dots"),
    ("conv3d", "cpu", "winograd", "nb3d.kernels.cpu.conv3d_winograd"),
    ("conv3d", "cpu", "direct", "nb3d.kernels.cpu.conv3d_direct"),
    ("conv3d_transpose", "cpu", "product", "nb3d.kernels.cpu.conv3d_transpose_product"),
    ("conv3d_transpose", "cpu", "phases", "nb3d.kernels.cpu.conv3d_transpose_phases"),
    ("dense", "cpu", "rows", "nb3d.kernels.cpu.dense_rows"),
    ("dense", "cpu", "tiles", "nb3d.kernels.cpu.dense_tiles"),
    ("matmul", "cpu", "tiles", "nb3d.kernels.cpu.matmul_tiles"),
    *((op, "cpu", "rows", "nb3d.kernels.cpu.pooling") for op in _POOLING),
    ("batch_normalization", "cpu", "affine", "nb3d.kernels.cpu.batch_normalization"),
    ("normalization", "cpu", "runs", "nb3d.kernels.cpu.normalization_runs"),
    ("normalization", "cpu", "volumes", "nb3d.kernels.cpu.normalization_volumes"),
    *((op, "cpu", "blocks", "nb3d.kernels.cpu.softmax") for op in ("softmax", "log_softmax")),
    *((op, "cpu", "flat", "nb3d.kernels.cpu.flat") for op in _ACTIVATIONS),
    *((op, "cpu", "repeated", "nb3d.kernels.cpu.binary") for op in (*_BINARY, "prelu")),
    *((op, "cpu", "map", "nb3d.kernels.cpu.maps") for op in (*_FUNCTIONS, "logical_xor", "cast")),
    *((op, "cpu", "copies", "nb3d.kernels.cpu.copies") for op in ("concatenate", "upsample3d")),
    ("upsample3d_linear", "cpu", "rows", "nb3d.kernels.cpu.upsample_linear"),
    *((op, "cpu", "rows", "nb3d.kernels.cpu.borders") for op in ("pad3d", "crop3d")),
    *((op, "cpu", "strided", "nb3d.kernels.cpu.strided") for op in ("transpose", "slice", "broadcast_to")),
    *((op, "cpu", "chunks", "nb3d.kernels.cpu.reductions") for op in ("sum", "mean", "max", "min")),
    *(("conv3d", "cuda", name, f"nb3d.kernels.cuda.conv3d_{name}") for name in _HALOS),
    *(
        (op, "cuda", name, f"nb3d.kernels.cuda.conv3d_{name}")
        for op in ("conv3d", "conv3d_transpose", "dense")
        for name in ("tile_tf32", "tile_tf32x3", "tile")
    ),
    ("conv3d", "cuda", "depthwise", "nb3d.kernels.cuda.conv3d_depthwise"),
    *((op, "cuda", "plain", "nb3d.kernels.cuda.conv3d_plain") for op in ("conv3d", "conv3d_transpose")),
    *((op, "cuda", "planes", "nb3d.kernels.cuda.pooling") for op in _POOLING),
    ("upsample3d_linear", "cuda", "planes", "nb3d.kernels.cuda.upsample_linear"),
    *((op, "cuda", "blocks", "nb3d.kernels.cuda.matmul") for op in ("matmul", "dense")),
    *((op, "cuda", "map", "nb3d.kernels.cuda.elementwise") for op in (*_ACTIVATIONS, *_MAPS)),
    *((op, "cuda", "map", "nb3d.kernels.cuda.copies") for op in _COPIES),
    ("normalization", "cuda", "runs", "nb3d.kernels.cuda.normalization_runs"),
    ("normalization", "cuda", "volumes", "nb3d.kernels.cuda.normalization_volumes"),
    *((op, "cuda", "rows", "nb3d.kernels.cuda.softmax") for op in ("softmax", "log_softmax")),
    *((op, "cuda", "columns", "nb3d.kernels.cuda.reductions") for op in _REDUCTIONS),
    *((op, "cuda", "positions", "nb3d.kernels.cuda.positions") for op in ("argmax", "argmin")),
    *((op, "cuda", "running", "nb3d.kernels.cuda.running") for op in ("cumsum", "cumprod")),
    *((op, "cuda", "ranks", "nb3d.kernels.cuda.ranks") for op in ("sort", "argsort")),
    *((op, "cuda", "gather", "nb3d.kernels.cuda.gathering") for op in ("take", "take_along_axis")),
    *(
        (op, "cpu", "reference", f"nb3d.kernels.reference.{family}")
        for family, ops in _REFERENCE.items()
        for op in ops.split()
    ),
)


class UnknownOperation(KeyError):
    """An operation has no kernel at all on a device."""

    def __str__(self) -> str:
        return str(self.args[0])


class Refused(ValueError):
    """An operation has kernels on a device, and none of them accepts a case."""


@dataclass(frozen=True)
class Choice:
    """What the table chose for a case.

    Attributes:
        implementation: The first one that accepts the case.
        refusals: ``(name, reason)`` of every better one that does not.
    """

    implementation: Implementation
    refusals: tuple[tuple[str, str], ...]


def operations() -> tuple[str, ...]:
    """Returns the names of all operations."""
    return tuple(dict.fromkeys(row[0] for row in _ROWS))


@cache
def implementations(op: str, device: str = "cpu") -> tuple[Implementation, ...]:
    """Returns the implementations of an operation, best first, importing their modules.

    Raises:
        UnknownOperation: No kernel computes ``op`` on ``device``.
    """
    return tuple(_implementation(*row) for row in _rows(op, device))


@cache
def _rows(op: str, device: str) -> tuple[tuple[str, str, str, str], ...]:
    rows = tuple(row for row in _ROWS if row[0] == op and row[1] == device)
    if not rows:
        known = "is no operation of nb3d" if op not in operations() else f"has no kernel for device {device!r}"
        raise UnknownOperation(f"{op!r} {known}.")
    return rows


@cache
def _implementation(op: str, device: str, name: str, path: str) -> Implementation:
    module = import_module(path)
    return Implementation(
        op, name, device, module.accepts, module.load,
        getattr(module, "prepare", leave_as_is), getattr(module, "scratch", no_scratch),
        getattr(module, "declines", never), getattr(module, "slices", none), getattr(module, "overwrites", none),
    )  # fmt: skip


def select(case: Case, device: str = "cpu") -> Choice:
    """Returns the best implementation that accepts ``case``, with the reasons of the better ones that do not.

    What is allowed says ``policy.py``; an implementation that is forced is only asked whether it can.

    Raises:
        UnknownOperation: No kernel computes the operation on ``device``.
        Refused: All refuse, a `ValueError`.
        ValueError: ``NB3D_IMPL`` forces an implementation that does not exist or refuses.
    """
    return _select(case, device, os.environ.get("NB3D_IMPL", ""), current())


@lru_cache(maxsize=4096)
def _select(case: Case, device: str, forced: str, policy: Policy) -> Choice:
    candidates = _rows(case.op, device)
    name = _forced_name(case.op, tuple(row[2] for row in candidates), forced)
    if name is not None:
        candidates = tuple(row for row in candidates if row[2] == name)
    refusals: list[tuple[str, str]] = []
    for row in candidates:  # imported one by one: a forced reference loads no Numba
        implementation = _implementation(*row)
        reason = implementation.accepts(case)
        if reason is None and not case.slices() <= set(implementation.slices(case)):
            reason = "wants its operands contiguous"
        if reason is None and name is None:
            reason = implementation.declines(case)
        if reason is None:
            return Choice(implementation, tuple(refusals))
        refusals.append((implementation.name, reason))
    reasons = "; ".join(f"{name}: {reason}" for name, reason in refusals)
    if name is not None:
        because = f" (forced by NB3D_IMPL={forced!r})"
        raise ValueError(
            f"No implementation of {case.op!r} on {device!r} accepts the case{because}: {reasons}. Case: {case}"
        )
    raise Refused(f"No implementation of {case.op!r} on {device!r} accepts the case: {reasons}. Case: {case}")


def _forced_name(op: str, names: tuple[str, ...], forced: str) -> str | None:
    """Returns the implementation of ``op`` that ``NB3D_IMPL`` names, if it names one."""
    chosen = None
    for item in filter(None, (part.strip() for part in forced.split(","))):
        target, colon, name = (part.strip() for part in item.partition(":"))
        if not colon:
            raise ValueError(f"NB3D_IMPL wants 'operation:implementation', separated by commas; got {item!r}.")
        if target == "*":
            chosen = name if name in names else chosen
        elif target not in operations():
            raise ValueError(f"NB3D_IMPL names an unknown operation, {target!r}. Known: {', '.join(operations())}.")
        elif target == op:
            if name not in names:
                raise ValueError(f"NB3D_IMPL asks for {op}:{name}; {op!r} has the implementations {', '.join(names)}.")
            chosen = name
    return chosen


def run(case: Case, inputs: Arrays, out: np.ndarray, device: str = "cpu") -> None:
    """Computes one case at once, without a plan: chooses, packs, allocates scratch and calls the kernel.

    Raises:
        UnknownOperation: No kernel computes the operation on ``device``.
        ValueError: No implementation accepts the case.
    """
    implementation = select(case, device).implementation
    size = 0
    if implementation.scratch is not no_scratch:
        from nb3d.kernels.cpu.threads import get_num_threads

        size = implementation.scratch(case, get_num_threads())
    kernel = implementation.load(case)
    kernel(*implementation.prepare(case, inputs), out, np.empty(size, np.uint8), *case.params)
