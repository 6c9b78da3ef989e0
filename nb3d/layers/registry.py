"""The layers that configurations may name."""

from __future__ import annotations

from nb3d.engine.registry import Registry

LAYERS = Registry("layer")
