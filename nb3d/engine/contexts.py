"""Where the code stands: the default graph, eager mode, and how deep it is inside layer calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Graph:
    """A namespace of layers and tensors: names are unique within it, and tensors of two graphs never meet.

    Example:
        >>> import nb3d
        >>> with nb3d.Graph().as_default() as graph:
        ...     x = nb3d.Input((8, 8, 8, 1))
        ...     layer = nb3d.layers.Conv3D(4, 3)
        >>> layer.graph is graph
        True
    """

    def __init__(self) -> None:
        self.name_counts: dict[str, int] = {}
        self.scopes: set[str] = set()

    @contextmanager
    def as_default(self) -> Iterator[Graph]:
        """Makes this graph the default one inside a ``with`` block (of the current thread)."""
        _state.graphs.append(self)
        try:
            yield self
        finally:
            _state.graphs.pop()

    def clear(self) -> None:
        """Forgets the names in use, so that automatic names start again from the first."""
        self.name_counts.clear()
        self.scopes.clear()


class _State(threading.local):
    """What each thread keeps for itself."""

    def __init__(self) -> None:
        self.graphs: list[Graph] = []
        self.eager = False
        self.variables_are_symbols = True
        self.depth = 0
        self.training: bool | None = None


_state = _State()
_root_graph = Graph()


def get_default_graph() -> Graph:
    """The graph that new layers and tensors belong to."""
    return _state.graphs[-1] if _state.graphs else _root_graph


def clear_session() -> None:
    """Resets automatic naming: the next unnamed ``Conv3D`` is called ``conv3d`` again."""
    get_default_graph().clear()


@contextmanager
def eager_mode() -> Iterator[None]:
    """Inside the block connectivity is not recorded, and the members that need it raise `RuntimeError`.

    Example:
        >>> import nb3d, numpy as np
        >>> with nb3d.eager_mode():
        ...     y = nb3d.layers.Dense(3)(np.ones((2, 5), "float32"))
        >>> y.shape
        (2, 3)
    """
    with _changed(eager=True, variables_are_symbols=False):
        yield


def in_eager_mode() -> bool:
    """Whether `eager_mode` is on."""
    return _state.eager


def forbid_in_eager_mode(layer: str, member: str) -> None:
    """Raises `RuntimeError` for a member of a layer that means nothing in eager mode."""
    if _state.eager:
        raise RuntimeError(f"Layer {layer!r}: {member} is not defined in eager mode: nothing is recorded there.")


@contextmanager
def _changed(**values: object) -> Iterator[None]:
    before = {name: getattr(_state, name) for name in values}
    for name, value in values.items():
        setattr(_state, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(_state, name, value)


@contextmanager
def inside_call(*, symbolic: bool, training: bool | None = None) -> Iterator[None]:
    """Marks the inside of a layer's or operation's call.

    Args:
        symbolic: Whether operations on nothing but Variables are recorded (a loss on weights, an update) or computed
            (weights changed on the way, in a call on arrays).
        training: The mode which inner layers inherit when they are not told.
    """
    with _changed(depth=_state.depth + 1, variables_are_symbols=symbolic, training=training):
        yield


def call_depth() -> int:
    """How many layer calls enclose the code; 0 outside."""
    return _state.depth


def inherited_training() -> bool | None:
    """The ``training`` mode of the enclosing layer call."""
    return _state.training


def variables_are_symbols() -> bool:
    """Whether an operation on nothing but Variables is recorded rather than computed."""
    return _state.variables_are_symbols
