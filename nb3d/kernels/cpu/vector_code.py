"""Builds LLVM vector instructions on addresses: what register tiles and transforms are emitted with.

Only what is asked for is emitted: no flag lets LLVM reorder or contract, so a result has the same bits wherever it is
computed. Multiply-adds are fused where the host has an instruction for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from nb3d.kernels.cpu.host import fuses
from nb3d.kernels.cpu.memory import I8, I32, I64


class Vectors:
    """Vectors of ``lanes`` values of ``dtype``, in a function under construction."""

    def __init__(self, builder: Any, dtype: str, lanes: int) -> None:
        self.builder = builder
        self.scalar = ir.FloatType() if dtype == "float32" else ir.DoubleType()
        self.kind = ir.VectorType(self.scalar, lanes)
        self.size = 4 if dtype == "float32" else 8
        self.lanes = lanes
        self.suffix = f"v{lanes}f{8 * self.size}"
        self.zero = ir.Constant(self.kind, [0.0] * lanes)

    @property
    def bytes(self) -> int:
        """Bytes of a vector."""
        return self.lanes * self.size

    def _function(self, name: str, result: Any, arguments: list[Any]) -> Any:
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, arguments), name)

    def _pointer(self, address: Any, kind: Any) -> Any:
        return self.builder.inttoptr(address, ir.PointerType(kind))

    def load(self, address: Any) -> Any:
        """The vector at an address."""
        return self.builder.load(self._pointer(address, self.kind), align=self.size, typ=self.kind)

    def store(self, value: Any, address: Any) -> None:
        """Writes a vector to an address."""
        self.builder.store(value, self._pointer(address, self.kind), align=self.size)

    def send(self, value: Any, address: Any) -> None:
        """Writes a vector to an aligned address around the caches."""
        sent = self.builder.store(value, self._pointer(address, self.kind), align=self.bytes)
        sent.set_metadata("nontemporal", self.builder.module.add_metadata([ir.Constant(I32, 1)]))

    def load_masked(self, address: Any, mask: Any) -> Any:
        """The lanes under a mask; the others are zero and their memory is not touched."""
        where = self._pointer(address, self.kind)
        arguments = [where, I32(self.size), mask, self.zero]
        name = f"llvm.masked.load.{self.suffix}.p0"
        return self.builder.call(self._function(name, self.kind, [a.type for a in arguments]), arguments)

    def store_masked(self, value: Any, address: Any, mask: Any) -> None:
        """Writes the lanes under a mask."""
        arguments = [value, self._pointer(address, self.kind), I32(self.size), mask]
        name = f"llvm.masked.store.{self.suffix}.p0"
        self.builder.call(self._function(name, ir.VoidType(), [a.type for a in arguments]), arguments)

    def prefetch(self, address: Any, write: bool = False) -> None:
        """Asks for a cache line: to be read, in L2, or to be written, in L1. Any address will do."""
        target = self._pointer(address, I8)
        arguments = [target, I32(int(write)), I32(3 if write else 2), I32(1)]
        self.builder.call(self._function("llvm.prefetch.p0", ir.VoidType(), [a.type for a in arguments]), arguments)

    def _repeated(self, value: Any, kind: Any) -> Any:
        """A number in all lanes of a vector of another kind."""
        undefined = ir.Constant(ir.VectorType(kind, self.lanes), ir.Undefined)
        first = self.builder.insert_element(undefined, value, I32(0))
        zeros = ir.Constant(ir.VectorType(I32, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def mask(self, count: Any) -> Any:
        """True in the first ``count`` lanes."""
        lanes = ir.Constant(ir.VectorType(I64, self.lanes), list(range(self.lanes)))
        return self.builder.icmp_signed("<", lanes, self._repeated(count, I64))

    def spread(self, value: Any) -> Any:
        """A number in all lanes."""
        return self._repeated(value, self.scalar)

    def broadcast(self, address: Any) -> Any:
        """One value of memory in all lanes."""
        return self.spread(self.builder.load(self._pointer(address, self.scalar), align=self.size, typ=self.scalar))

    def _folded(self, value: Any, fold: Callable[[Any, Any], Any]) -> Any:
        """All lanes in one number: the upper half with the lower one, and so on."""
        lanes = self.lanes
        while lanes > 1:
            lanes //= 2
            upper = [lane + lanes for lane in range(lanes)] + [0] * (self.lanes - lanes)
            order = ir.Constant(ir.VectorType(I32, self.lanes), upper)
            value = fold(value, self.builder.shuffle_vector(value, value, order))
        return self.builder.extract_element(value, I32(0))

    def within(self, value: Any, width: int, fold: Callable[[Any, Any], Any]) -> Any:
        """Neighbouring lanes, `width` of them (a power of two), folded: the result in every lane of them."""
        step = 1
        while step < width:
            order = ir.Constant(ir.VectorType(I32, self.lanes), [lane ^ step for lane in range(self.lanes)])
            value = fold(value, self.builder.shuffle_vector(value, value, order))
            step *= 2
        return value

    def total(self, value: Any) -> Any:
        """The sum of all lanes."""
        return self._folded(value, self.builder.fadd)

    def clipped(self, value: Any) -> Any:
        """Zero in place of negative lanes; NaN stays."""
        return self.builder.select(self.builder.fcmp_ordered("<", value, self.zero), self.zero, value)

    def larger(self, a: Any, b: Any) -> Any:
        """The larger one, lane by lane, and `b` where `a` is NaN."""
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    def largest(self, value: Any) -> Any:
        """The largest of all lanes."""
        return self._folded(value, self.larger)

    def constant(self, value: float) -> Any:
        """A number in all lanes."""
        return ir.Constant(self.kind, [float(value)] * self.lanes)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        """``a * b + c``."""
        name = "llvm.fma" if fuses() else "llvm.fmuladd"  # without hardware, a fused one is a call per lane
        return self.builder.call(self._function(f"{name}.{self.suffix}", self.kind, [self.kind] * 3), [a, b, c])
