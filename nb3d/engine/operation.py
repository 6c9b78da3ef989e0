"""A function of `nb3d.ops` called on a `KerasTensor` outside any layer: a node of the graph like any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nb3d.engine.connectivity import Connectivity
from nb3d.engine.contexts import in_eager_mode, inside_call
from nb3d.engine.names import to_snake_case, unique_name
from nb3d.engine.recording import fresh_outputs, record_call


class Operation(Connectivity):
    """One use of a function of `nb3d.ops` in a graph; it has nodes and a name, but no weights.

    Args:
        function: The function, called on arrays or tensors alike.
        class_name: Its name in files, that of Keras' operation class: ``"GetItem"``.
        name: Name in the graph; made from the class name where absent.
    """

    def __init__(self, function: Callable[..., Any], class_name: str, name: str | None = None) -> None:
        super().__init__()
        self.function = function
        self.class_name = class_name
        self.name = name or unique_name(to_snake_case(class_name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's result, with a history of its own."""
        outputs = self.run_call(args, kwargs)
        outputs = fresh_outputs(self.name, outputs)
        if not in_eager_mode():
            record_call(self, args, kwargs, outputs)
        return outputs

    def run_call(self, args: tuple[Any, ...], kwargs: dict[str, Any], masks: Any = None) -> Any:
        """The function's result on tensors or arrays; no node is added."""
        with inside_call(symbolic=True):
            return self.function(*args, **kwargs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Masks stop at operations, as at a Lambda."""

    def get_config(self) -> dict[str, Any]:
        """The operation's name; its arguments belong to the node."""
        return {"name": self.name}

    def __repr__(self) -> str:
        return f"<Operation {self.class_name} name={self.name}>"
