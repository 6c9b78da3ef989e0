"""`KerasTensor`: a symbol with a shape and a dtype that remembers how it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from nb3d.engine.contexts import get_default_graph
from nb3d.engine.names import unique_name

if TYPE_CHECKING:
    from nb3d.engine.opgraph import OpNode

Dims = tuple[int | None, ...]


@dataclass(frozen=True)
class TensorSpec:
    """Shape and dtype of a tensor; ``None`` is a size that is not known yet."""

    shape: Dims
    dtype: str

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


class KerasHistory(NamedTuple):
    """Which output of which call of which layer a tensor is."""

    operation: Any
    node_index: int
    tensor_index: int


# Filled by nb3d.ops, which stands a floor higher: name of the operator -> function of its operands.
OPERATORS: dict[str, Callable[..., Any]] = {}


class Arithmetic:
    """Python's operators, each the operation of the same name in `nb3d.ops`. Comparison is by identity."""

    __array_priority__ = 1000  # NumPy arrays on the left leave the operation to us
    __array_ufunc__ = None

    def __add__(self, other: Any) -> Any:
        return OPERATORS["add"](self, other)

    def __radd__(self, other: Any) -> Any:
        return OPERATORS["add"](other, self)

    def __sub__(self, other: Any) -> Any:
        return OPERATORS["subtract"](self, other)

    def __rsub__(self, other: Any) -> Any:
        return OPERATORS["subtract"](other, self)

    def __mul__(self, other: Any) -> Any:
        return OPERATORS["multiply"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return OPERATORS["multiply"](other, self)

    def __truediv__(self, other: Any) -> Any:
        return OPERATORS["divide"](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return OPERATORS["divide"](other, self)

    def __floordiv__(self, other: Any) -> Any:
        return OPERATORS["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return OPERATORS["floor_divide"](other, self)

    def __mod__(self, other: Any) -> Any:
        return OPERATORS["mod"](self, other)

    def __rmod__(self, other: Any) -> Any:
        return OPERATORS["mod"](other, self)

    def __pow__(self, other: Any) -> Any:
        return OPERATORS["power"](self, other)

    def __rpow__(self, other: Any) -> Any:
        return OPERATORS["power"](other, self)

    def __matmul__(self, other: Any) -> Any:
        return OPERATORS["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return OPERATORS["matmul"](other, self)

    def __neg__(self) -> Any:
        return OPERATORS["negative"](self)

    def __abs__(self) -> Any:
        return OPERATORS["absolute"](self)

    def __lt__(self, other: Any) -> Any:
        return OPERATORS["less"](self, other)

    def __le__(self, other: Any) -> Any:
        return OPERATORS["less_equal"](self, other)

    def __gt__(self, other: Any) -> Any:
        return OPERATORS["greater"](self, other)

    def __ge__(self, other: Any) -> Any:
        return OPERATORS["greater_equal"](self, other)

    def __and__(self, other: Any) -> Any:
        return OPERATORS["logical_and"](self, other)

    def __or__(self, other: Any) -> Any:
        return OPERATORS["logical_or"](self, other)

    def __invert__(self) -> Any:
        return OPERATORS["logical_not"](self)

    def __getitem__(self, key: Any) -> Any:
        return OPERATORS["get_item"](self, key)


class KerasTensor(Arithmetic):
    """A symbolic tensor: what `Input` and calls on symbolic tensors return.

    Args:
        shape: Sizes, batch first; ``None`` where not known.
        dtype: Name of the dtype.
        sparse: Kept for Keras' signature; sparse tensors are not supported.
        name: Name shown in messages; made unique where absent.
        producer: The operation that computes the tensor; ``None`` for an input.

    Attributes:
        _keras_history: ``(layer, node_index, tensor_index)`` where a layer, an operation or `Input` made the tensor.
        _keras_mask: Its mask, a symbolic tensor or ``None``.
        place: ``network/layer`` where it is what a layer inside a called network returns.

    Example:
        >>> import nb3d
        >>> x = nb3d.Input((16, 16, 16, 1))
        >>> (x + 1).shape
        (None, 16, 16, 16, 1)
    """

    _keras_history: KerasHistory

    def __init__(
        self,
        shape: Any,
        dtype: str = "float32",
        sparse: bool = False,
        name: str | None = None,
        producer: OpNode | None = None,
    ) -> None:
        if sparse:
            raise ValueError("Sparse tensors are not supported: expected sparse=False.")
        self.spec = TensorSpec(tuple(shape), str(dtype))
        self.name = name if name is not None else unique_name("keras_tensor")
        self.producer = producer
        self.graph = get_default_graph()
        self._keras_mask: KerasTensor | None = None
        self.place = ""

    @property
    def shape(self) -> Dims:
        """The sizes, batch first; ``None`` where not known."""
        return self.spec.shape

    @property
    def dtype(self) -> str:
        """Name of the dtype."""
        return self.spec.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.spec.shape)

    rank = ndim

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def _has_no_values(self, use: str) -> NoReturn:
        raise TypeError(
            f"KerasTensor {self.name!r} of shape {self.shape} is symbolic: it has no values, so it cannot be {use}. "
            "Use functions of nb3d.ops, or evaluate it with nb3d.function([inputs], [tensor])."
        )

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._has_no_values("turned into an array")

    def __bool__(self) -> NoReturn:
        self._has_no_values("used as a truth value")

    def __float__(self) -> NoReturn:
        self._has_no_values("turned into a number")

    def __int__(self) -> NoReturn:
        self._has_no_values("turned into a number")

    def __index__(self) -> NoReturn:
        self._has_no_values("used as an index")

    def __iter__(self) -> Iterator[Any]:
        self._has_no_values("iterated over")

    def __len__(self) -> NoReturn:
        self._has_no_values("measured with len(); see its .shape")

    def __deepcopy__(self, memo: dict[int, Any]) -> KerasTensor:
        return self  # a tensor is a place in a graph: copies of what refers to it still mean that place


def is_keras_tensor(value: Any) -> bool:
    """Whether `value` is a symbolic tensor that a layer, an operation or `Input` made."""
    return isinstance(value, KerasTensor) and hasattr(value, "_keras_history")
