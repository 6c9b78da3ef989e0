"""The kernels themselves, as Numba compiles them. Imported only to compile: see ``program.py``."""
