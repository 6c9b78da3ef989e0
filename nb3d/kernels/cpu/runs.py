"""Loops over contiguous values, emitted as vector code: their sum, the largest of them, every vector in turn.

Sums have four accumulators in registers, so that additions overlap; the last vector of a run is masked. LLVM makes no
vectors of such loops itself, for it may not change the order of a sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import cgutils

from nb3d.kernels.cpu.memory import I64
from nb3d.kernels.cpu.microkernel import lanes_of
from nb3d.kernels.cpu.vector_code import Vectors

ACCUMULATORS = 4
Transform = Callable[[Any], Any]


class Run:
    """``length`` values of ``dtype``, computed with in ``precision``, in a function under construction."""

    def __init__(self, builder: Any, dtype: str, length: Any, precision: str) -> None:
        self.builder, self.length = builder, length
        self.wide = Vectors(builder, precision, lanes_of(precision))
        self.narrow = Vectors(builder, dtype, self.wide.lanes)
        self._vectors = builder.sdiv(length, I64(self.wide.lanes))
        self._rest = builder.srem(length, I64(self.wide.lanes))

    def _offset(self, vector: Any) -> Any:
        return self.builder.mul(vector, I64(self.narrow.bytes))

    def widened(self, value: Any) -> Any:
        """A vector in the precision of the run."""
        same = self.narrow.size == self.wide.size
        return value if same else self.builder.fpext(value, self.wide.kind)

    def narrowed(self, value: Any) -> Any:
        """A vector rounded to the dtype of the run."""
        same = self.narrow.size == self.wide.size
        return value if same else self.builder.fptrunc(value, self.narrow.kind)

    def sum(self, at: Any, term: Transform = lambda value: value) -> Any:
        """The sum of ``term(vector)`` over the run at an address."""
        builder, wide = self.builder, self.wide
        sums = [cgutils.alloca_once_value(builder, wide.zero) for _ in range(ACCUMULATORS)]

        def add(vector: Any, total: Any) -> None:
            value = term(self.widened(self.narrow.load(builder.add(at, self._offset(vector)))))
            builder.store(builder.fadd(builder.load(total), value), total)

        rounds = builder.sdiv(self._vectors, I64(ACCUMULATORS))
        done = builder.mul(rounds, I64(ACCUMULATORS))
        with cgutils.for_range(builder, rounds) as several:
            for position, total in enumerate(sums):
                add(builder.add(builder.mul(several.index, I64(ACCUMULATORS)), I64(position)), total)
        with cgutils.for_range_slice(builder, done, self._vectors, I64(1)) as (vector, _):
            add(vector, sums[0])
        with builder.if_then(builder.icmp_signed(">", self._rest, I64(0))):
            mask = self.narrow.mask(self._rest)
            last = self.narrow.load_masked(builder.add(at, self._offset(self._vectors)), mask)
            value = builder.select(mask, term(self.widened(last)), wide.zero)
            builder.store(builder.fadd(builder.load(sums[1]), value), sums[1])
        a, b, c, d = (builder.load(total) for total in sums)
        return wide.total(builder.fadd(builder.fadd(a, b), builder.fadd(c, d)))

    def largest(self, at: Any) -> Any:
        """The largest value of the run at an address; NaN is passed over."""
        builder, narrow = self.builder, self.narrow
        lowest = narrow.constant(float("-inf"))
        most = cgutils.alloca_once_value(builder, lowest)

        def compare(value: Any) -> None:
            builder.store(narrow.larger(value, builder.load(most)), most)

        with cgutils.for_range(builder, self._vectors) as vector:
            compare(narrow.load(builder.add(at, self._offset(vector.index))))
        with builder.if_then(builder.icmp_signed(">", self._rest, I64(0))):
            mask = narrow.mask(self._rest)
            value = narrow.load_masked(builder.add(at, self._offset(self._vectors)), mask)
            compare(builder.select(mask, value, lowest))
        return narrow.largest(builder.load(most))

    def each(self, work: Callable[[Any, Callable[[Any], Any], Callable[[Any, Any], None]], None]) -> None:
        """``work(offset in bytes, load, store)`` for every vector."""
        builder, narrow = self.builder, self.narrow
        with cgutils.for_range(builder, self._vectors) as vector:
            work(self._offset(vector.index), narrow.load, narrow.store)
        with builder.if_then(builder.icmp_signed(">", self._rest, I64(0))):
            mask = narrow.mask(self._rest)
            work(
                self._offset(self._vectors),
                lambda at: narrow.load_masked(at, mask),
                lambda value, at: narrow.store_masked(value, at, mask),
            )
