"""Losses and updates of a layer, and which of them depend on which inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nb3d.engine.contexts import forbid_in_eager_mode, in_eager_mode
from nb3d.engine.opgraph import IDENTITY, dependents, record
from nb3d.engine.settings import SETTINGS
from nb3d.engine.structure import to_list
from nb3d.engine.tensor import TensorSpec


@dataclass(frozen=True, eq=False)
class Contribution:
    """A loss or update that a layer filed.

    Attributes:
        value: The symbolic tensor (or number).
        conditional: Whether it belongs to certain inputs; otherwise it holds for every use of the layer.
        inputs: The inputs it was declared for; empty when it was declared as depending on whatever it is computed from.
    """

    value: Any
    conditional: bool
    inputs: tuple[Any, ...] = ()


def needing(items: list[Contribution], tensors: Iterable[Any]) -> list[Contribution]:
    """The conditional items that are computed from, or were declared for, one of `tensors`."""
    conditional = [item for item in items if item.conditional]
    wanted = {id(tensor) for tensor in tensors}
    found = dependents((root for item in conditional for root in (item.value, *item.inputs)), wanted)
    return [item for item in conditional if any(id(root) in found for root in (item.value, *item.inputs))]


class LossesAndUpdates:
    """Keeps the losses and updates of a layer in the order in which they were added."""

    name: str

    def __init__(self) -> None:
        self._losses: list[Contribution] = []
        self._updates: list[Contribution] = []

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Files one or several loss tensors.

        Args:
            losses: A symbolic tensor, a number, or a list of them.
            inputs: The tensors that the losses belong to; ``True`` for "those they are computed from"; ``None`` for
                losses that hold whatever the layer is called on.

        Raises:
            RuntimeError: In eager mode.
        """
        forbid_in_eager_mode(self.name, "add_loss")
        _file(self._losses, losses, inputs)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Files one or several update tensors, `nb3d.ops.assign` and its kin among them. Ignored in eager mode.

        Args:
            updates: A symbolic tensor or a list of them.
            inputs: As for `add_loss`.
        """
        if not in_eager_mode():
            _file(self._updates, updates, inputs)

    @property
    def losses(self) -> list[Any]:
        """All losses of the layer, as live symbolic tensors."""
        return [item.value for item in self._loss_items()]

    @property
    def updates(self) -> list[Any]:
        """All updates of the layer.

        Raises:
            RuntimeError: In eager mode.
        """
        forbid_in_eager_mode(self.name, "updates")
        return [item.value for item in self._update_items()]

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses that depend on `inputs`; with ``None``, those that depend on no input.

        Raises:
            RuntimeError: In eager mode.
        """
        forbid_in_eager_mode(self.name, "get_losses_for")
        return _select(self._loss_items(), inputs)

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on `inputs`; with ``None``, those that depend on no input.

        Raises:
            RuntimeError: In eager mode.
        """
        forbid_in_eager_mode(self.name, "get_updates_for")
        return _select(self._update_items(), inputs)

    def _loss_items(self) -> list[Contribution]:
        """Own losses, then those of layers inside; a Model filters them."""
        return list(self._losses)

    def _update_items(self) -> list[Contribution]:
        return list(self._updates)


def _file(items: list[Contribution], values: Any, inputs: Any) -> None:
    conditional = inputs is not None and inputs != []
    declared = () if inputs is None or inputs is True else tuple(to_list(inputs))
    items.extend(Contribution(_symbol(value), conditional, declared) for value in to_list(values))


def _symbol(value: Any) -> Any:
    """Numbers become constant tensors, so that all losses are evaluated alike."""
    if not isinstance(value, int | float | np.ndarray | np.generic):
        return value
    array = np.asarray(value, SETTINGS.floatx())
    return record(IDENTITY, (array,), TensorSpec(array.shape, array.dtype.name), {}, "constant")


def _select(items: list[Contribution], inputs: Any) -> list[Any]:
    if inputs is None:
        return [item.value for item in items if not item.conditional]
    return [item.value for item in needing(items, to_list(inputs))]
