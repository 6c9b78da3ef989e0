"""The version of nb3d."""

__version__ = "0.1.0"
