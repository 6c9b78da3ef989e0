"""Weights under the counted paths of Keras 3: ``.weights.h5`` files, and what an archive holds."""

from __future__ import annotations

import warnings
from typing import Any

from nb3d.saving import layout
from nb3d.saving.container import Matching
from nb3d.saving.errors import ModelFileError
from nb3d.saving.hdf5 import Hdf5
from nb3d.saving.layout import Slot


class CountedWeights:
    """Weights that lie where `nb3d.saving.layout` says.

    Args:
        file: The file.
    """

    def __init__(self, file: Hdf5) -> None:
        self._file = file
        self.stored = file.stored
        self.read = file.read

    def names(self) -> list[str]:
        """The places of all weights in the file, the state of a training left out."""
        return layout.differing_names([], self._file.datasets())[1]

    def slots(self, model: Any, matching: Matching) -> list[Slot]:
        """The places of a model's weights; see `nb3d.saving.container.Weights`."""
        if matching.by_name:
            raise ModelFileError("by_name=True needs a legacy .h5 file: this one counts layers and does not name them")
        found = self._file.datasets()
        places = layout.slots_in(model, found)
        if matching.skip_mismatch:
            return self._fitting(places, found)
        layout.check_names(places, found)
        return places

    def _fitting(self, places: list[Slot], found: list[str]) -> list[Slot]:
        """The places of the layers whose weights are there, each of its shape; the others are told in a warning."""
        kept, skipped = layout.fitting_groups(places, found)
        other = {slot.layer for slot in kept if self.stored(slot.path).shape != slot.stored_shape}
        skipped += [name for name in dict.fromkeys(slot.layer for slot in kept) if name in other]
        if skipped:
            message = f"{self._file.name}: Skipping {len(skipped)} layers whose weights do not fit: {skipped}"
            warnings.warn(message, UserWarning, stacklevel=2)
        return [slot for slot in kept if slot.layer not in other]
