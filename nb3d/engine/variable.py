"""`Variable`: a named array that layers own, made when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nb3d.engine.tensor import Arithmetic, KerasTensor, TensorSpec

Initializer = Callable[..., Any]
_materialize_lock = threading.RLock()


class Variable(Arithmetic):
    """An array with a name that can change.

    The values are made when they are first read, so a network of any size is built and inspected without memory.

    Args:
        initializer: The values, or a callable ``(shape, dtype=...)`` that makes them.
        shape: Needed with a callable; otherwise the shape of the values.
        dtype: Name of the dtype; that of the values, or ``'float32'``, where absent.
        trainable: Whether training would change it.
        name: Name, as ``conv3d/kernel``.
        constraint: Function that optimizers would apply after a step; kept, not applied.
        regularizer: Function of the Variable that gives a loss; the layer that owns it files that.

    Raises:
        ValueError: If a callable comes without a shape, or the values have another shape.

    Example:
        >>> import nb3d, numpy as np
        >>> v = nb3d.Variable(np.zeros((2, 3), "float32"), name="v")
        >>> v.assign(np.ones((2, 3)))
        >>> float(v.numpy().sum())
        6.0
    """

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        name: str = "variable",
        constraint: Callable[[Any], Any] | None = None,
        regularizer: Callable[[Any], Any] | None = None,
    ) -> None:
        self.name = name
        self.trainable = trainable
        self.constraint = constraint
        self.regularizer = regularizer
        self.version = 0
        self._value: np.ndarray | None = None
        self._initializer: Initializer | None = None
        if callable(initializer):
            if shape is None:
                raise ValueError(f"Variable {name!r}: a shape is needed when the initial values are a function.")
            self.shape: tuple[int, ...] = tuple(int(size) for size in shape)
            self.dtype = dtype or "float32"
            self._initializer = initializer
        else:
            value = np.array(initializer, dtype=dtype)
            if shape is not None and tuple(shape) != value.shape:
                raise ValueError(f"Variable {name!r}: expected values of shape {tuple(shape)}, got {value.shape}.")
            self.shape = value.shape
            self.dtype = value.dtype.name
            self._value = value

    @property
    def spec(self) -> TensorSpec:
        """Shape and dtype."""
        return TensorSpec(self.shape, self.dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def path(self) -> str:
        """The name, with the layer's scope before it."""
        return self.name

    @property
    def size(self) -> int:
        """The number of values."""
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def nbytes(self) -> int:
        """Memory of the values, in bytes."""
        return self.size * np.dtype(self.dtype).itemsize

    @property
    def value(self) -> np.ndarray:
        """The values themselves, not to be written to; `numpy` copies them."""
        if self._value is None:
            with _materialize_lock:
                if self._value is None:
                    assert self._initializer is not None
                    self._value = self._checked(self._initializer(self.shape, dtype=self.dtype))
                    self._initializer = None
        return self._value

    def numpy(self) -> np.ndarray:
        """A copy of the values."""
        return self.value.copy()

    def assign(self, value: Any) -> None:
        """Replaces all values.

        Args:
            value: Array of the same shape; it is cast to the Variable's dtype.

        Raises:
            ValueError: If the shape differs.
            TypeError: If `value` is symbolic: use `nb3d.ops.assign` for that.
        """
        if isinstance(value, KerasTensor):
            raise TypeError(
                f"Variable {self.name!r}: expected an array, got the symbolic {value!r}. nb3d.ops.assign(variable, "
                "tensor) makes an update that nb3d.function(..., updates=[...]) runs."
            )
        self._value = self._checked(value)
        self._initializer = None
        self.version += 1

    def adopt(self, array: np.ndarray) -> None:
        """Replaces all values by an array that nobody will write to any more; one that is as it must be is not copied.

        Args:
            array: Array of the same shape; it is cast to the Variable's dtype.

        Raises:
            ValueError: If the shape differs.
        """
        usable = array.dtype == np.dtype(self.dtype) and array.flags.c_contiguous and array.flags.aligned
        if array.shape != self.shape or not usable:
            self.assign(array)
            return
        self._value = array
        self._initializer = None
        self.version += 1

    def assign_add(self, value: Any) -> None:
        """Adds `value` to the values."""
        self.assign(self.value + np.asarray(value))

    def assign_sub(self, value: Any) -> None:
        """Subtracts `value` from the values."""
        self.assign(self.value - np.asarray(value))

    def _checked(self, value: Any) -> np.ndarray:
        array = np.array(value, dtype=self.dtype, order="C")
        if array.shape != self.shape:
            raise ValueError(f"Variable {self.name!r}: expected values of shape {self.shape}, got {array.shape}.")
        return array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if dtype is not None and np.dtype(dtype) != self.value.dtype:
            return self.value.astype(dtype)
        return self.value if copy is False else self.value.copy()

    def __float__(self) -> float:
        return float(self.value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value)

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        return f"<Variable name={self.name}, shape={self.shape}, dtype={self.dtype}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        """An independent variable with the same values, or the same way to make them."""
        source = self._initializer if self._value is None else self._value
        return Variable(
            source, self.shape, self.dtype, self.trainable, self.name, self.constraint, self.regularizer
        )

