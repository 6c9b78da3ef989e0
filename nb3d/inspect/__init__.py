"""Looking at models: tables of layers and how they are wired."""

from nb3d.inspect.connectivity import connectivity
from nb3d.inspect.summary import print_summary

__all__ = ["connectivity", "print_summary"]
