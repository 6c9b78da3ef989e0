"""Looking at models: tables of layers, how they are wired, and where two computations of one network part."""

from nb3d.inspect.compare import Comparison, Difference, compare
from nb3d.inspect.connectivity import connectivity
from nb3d.inspect.summary import print_summary

__all__ = ["Comparison", "Difference", "compare", "connectivity", "print_summary"]
