"""What a run that is checked for finite values raises. Who catches it need not load plans."""

from __future__ import annotations


class NotFiniteError(FloatingPointError):
    """A value that is NaN or infinite, and where it came up first.

    Args:
        layer: The layer, or the input.
        index: Its place, samples first.
        value: The value.
        shape: Shape of the output that it stands in.
        reason: What may have caused it.
    """

    def __init__(self, layer: str, index: tuple[int, ...], value: float, shape: tuple[int, ...], reason: str) -> None:
        self.layer, self.index, self.value, self.shape, self.reason = layer, index, value, shape, reason
        super().__init__(f"{layer}: the first value that is not finite is {value}, at {index} of {shape}; {reason}")

    def later(self, samples: int) -> NotFiniteError:
        """The same error where the batch is not the first one."""
        index = (self.index[0] + samples, *self.index[1:]) if self.index else ()
        return NotFiniteError(self.layer, index, self.value, self.shape, self.reason)
