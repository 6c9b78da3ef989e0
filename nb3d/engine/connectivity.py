"""What a layer knows of its calls: ``input``, ``get_output_shape_at`` and their kin."""

from __future__ import annotations

from typing import Any

from nb3d.engine.contexts import forbid_in_eager_mode
from nb3d.engine.node import Node
from nb3d.engine.structure import unwrap


class Connectivity:
    """The nodes of a layer or operation, and everything that is read from them.

    All of it raises `RuntimeError` in eager mode, where no connectivity is recorded.
    """

    name: str

    def __init__(self) -> None:
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []

    @property
    def inbound_nodes(self) -> list[Node]:
        """One node per call of this layer on symbolic tensors."""
        return self._inbound_nodes

    @property
    def outbound_nodes(self) -> list[Node]:
        """The nodes of other layers that take an output of this layer, once per tensor they take."""
        return self._outbound_nodes

    def _at(self, node_index: int, attribute: str, member: str) -> Any:
        forbid_in_eager_mode(self.name, member)
        if not self._inbound_nodes:
            raise RuntimeError(f"The layer {self.name!r} has never been called and thus has no defined {member}.")
        if isinstance(node_index, bool) or not hasattr(node_index, "__index__"):
            raise TypeError(f"Layer {self.name!r}: expected an integer as node index, got {node_index!r}.")
        if not -len(self._inbound_nodes) <= node_index < len(self._inbound_nodes):
            raise ValueError(
                f"Layer {self.name!r}: asked for {member} at node {node_index}, but the layer has only "
                f"{len(self._inbound_nodes)} inbound nodes."
            )
        return unwrap(getattr(self._inbound_nodes[node_index], attribute))

    def get_input_at(self, node_index: int) -> Any:
        """The input tensor of a call (a list of them if there are several).

        Args:
            node_index: Which call of the layer, from 0.

        Raises:
            RuntimeError: If the layer was never called, or in eager mode.
            ValueError: If it was called fewer times.
        """
        return self._at(node_index, "input_tensors", "input")

    def get_output_at(self, node_index: int) -> Any:
        """The output tensor of a call; see `get_input_at`."""
        return self._at(node_index, "output_tensors", "output")

    def get_input_shape_at(self, node_index: int) -> Any:
        """The input shape of a call; see `get_input_at`."""
        return self._at(node_index, "input_shapes", "input shape")

    def get_output_shape_at(self, node_index: int) -> Any:
        """The output shape of a call; see `get_input_at`."""
        return self._at(node_index, "output_shapes", "output shape")

    def get_input_mask_at(self, node_index: int) -> Any:
        """The input mask of a call, or ``None``; see `get_input_at`."""
        return self._at(node_index, "input_masks", "input mask")

    def get_output_mask_at(self, node_index: int) -> Any:
        """The output mask of a call, or ``None``; see `get_input_at`."""
        return self._at(node_index, "output_masks", "output mask")

    def _of_only_node(self, attribute: str, member: str) -> Any:
        forbid_in_eager_mode(self.name, member)
        if not self._inbound_nodes:
            raise AttributeError(
                f"Layer {self.name!r} is not connected, no {member} to return: it has no inbound nodes "
                "(it was never called on a symbolic tensor)."
            )
        if len(self._inbound_nodes) > 1:
            raise AttributeError(
                f"Layer {self.name!r} has {len(self._inbound_nodes)} inbound nodes, hence the notion of "
                f'"layer {member}" is ill-defined. Use get_{member.replace(" ", "_")}_at(node_index) instead.'
            )
        return unwrap(getattr(self._inbound_nodes[0], attribute))

    def _shape_of_all_nodes(self, attribute: str, member: str) -> Any:
        forbid_in_eager_mode(self.name, member)
        if not self._inbound_nodes:
            raise AttributeError(f"The layer {self.name!r} has never been called and thus has no defined {member}.")
        shapes = [getattr(node, attribute) for node in self._inbound_nodes]
        if any(other != shapes[0] for other in shapes[1:]):
            raise AttributeError(
                f"The layer {self.name!r} has multiple inbound nodes with different {member}s, hence the notion of "
                f'"{member}" is ill-defined. Use get_{member.replace(" ", "_")}_at(node_index) instead.'
            )
        return unwrap(shapes[0])

    @property
    def input(self) -> Any:
        """The input tensor of a layer with one node (a list of them if there are several).

        Raises:
            AttributeError: If the layer has no node, or more than one: use `get_input_at`.
            RuntimeError: In eager mode.
        """
        return self._of_only_node("input_tensors", "input")

    @property
    def output(self) -> Any:
        """The output tensor of a layer with one node; see `input`."""
        return self._of_only_node("output_tensors", "output")

    @property
    def input_mask(self) -> Any:
        """The input mask of a layer with one node, or ``None``; see `input`."""
        return self._of_only_node("input_masks", "input mask")

    @property
    def output_mask(self) -> Any:
        """The output mask of a layer with one node, or ``None``; see `input`."""
        return self._of_only_node("output_masks", "output mask")

    @property
    def input_shape(self) -> Any:
        """The input shape, where it is the same for all nodes.

        Raises:
            AttributeError: If the layer has no node, or nodes that differ: use `get_input_shape_at`.
            RuntimeError: In eager mode.
        """
        return self._shape_of_all_nodes("input_shapes", "input shape")

    @property
    def output_shape(self) -> Any:
        """The output shape, where it is the same for all nodes; see `input_shape`."""
        return self._shape_of_all_nodes("output_shapes", "output shape")
