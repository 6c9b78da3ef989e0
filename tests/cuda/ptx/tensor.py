"""Tensor cores: ``mma.sync`` of TF32 and BF16, as the PTX manual lays out its fragments.

With ``g = lane // 4`` and ``t = lane % 4``, A (16 rows) has ``g`` and ``g + 8`` as rows, B (8 columns) has ``g`` as its
column, C has rows ``g`` and ``g + 8`` and columns ``2 t`` and ``2 t + 1``. Sums are exact here and rounded once; the
hardware keeps fewer bits in between.
"""

from __future__ import annotations

import numpy as np

from tests.cuda.ptx.operands import every_lane, reader, spread, whole_warps

OPCODES = frozenset({"mma"})
LANE = np.arange(32)
G, T = LANE // 4, LANE % 4


def _tf32(bits: np.ndarray) -> np.ndarray:
    """The hardware looks at the upper 19 bits."""
    return (bits & np.uint32(0xFFFFE000)).view(np.float32)


def _halves(bits: np.ndarray) -> np.ndarray:
    """The two BF16 in a word, lower first, along a last axis."""
    return np.stack([bits << np.uint32(16), bits & np.uint32(0xFFFF0000)], -1).view(np.float32)


def build(program, instruction):
    """Returns what carries out an instruction."""
    shape, kind = instruction.opcode[3], instruction.opcode[7]
    if (shape, kind) not in (("m16n8k8", "tf32"), ("m16n8k16", "bf16")):
        raise NotImplementedError(instruction.text)
    d, a, b, c = instruction.operands
    targets = [program.numbers[name] for name in d]
    reads = [[reader(program, name, k) for name in group] for group, k in ((a, "b32"), (b, "b32"), (c, "f32"))]

    def execute(lanes, mask):
        warps = whole_warps(lanes, mask)
        a, b, c = (
            [np.ascontiguousarray(every_lane(lanes, read(lanes)).reshape(-1, 32)[warps]) for read in group]
            for group in reads
        )
        left, right = (_tf32_fragments if kind == "tf32" else _bf16_fragments)(a, b)
        total = left.astype(np.float64) @ right.astype(np.float64)
        for number, (target, start) in enumerate(zip(targets, c, strict=True)):
            part = total[:, G + 8 * (number // 2), 2 * T + number % 2]
            lanes.write(target, spread(lanes, warps, (part + start).astype(np.float32)), mask)

    return execute


def _tf32_fragments(a, b):
    left, right = np.empty((len(a[0]), 16, 8), np.float32), np.empty((len(a[0]), 8, 8), np.float32)
    for number, (row, column) in enumerate(((0, 0), (8, 0), (0, 4), (8, 4))):
        left[:, G + row, T + column] = _tf32(a[number])
    for number in range(2):
        right[:, T + 4 * number, G] = _tf32(b[number])
    return left, right


def _bf16_fragments(a, b):
    left, right = np.empty((len(a[0]), 16, 16), np.float32), np.empty((len(a[0]), 16, 8), np.float32)
    for half in range(2):
        for number, (row, column) in enumerate(((0, 0), (8, 0), (0, 8), (8, 8))):
            left[:, G + row, 2 * T + half + column] = _halves(a[number])[..., half]
        for number in range(2):
            right[:, 2 * T + half + 8 * number, G] = _halves(b[number])[..., half]
    return left, right
