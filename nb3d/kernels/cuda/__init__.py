"""Kernels for NVIDIA GPUs, compiled with Numba. They have the signatures of the CPU's and take device arrays.

A file of this folder answers the table and lays out launches: it needs no CUDA package. The kernels themselves stand
in ``device/``, and are imported when one has to be compiled. Only ``door.py`` imports Numba's CUDA, for the package
behind it is about to change its name; only ``driver.py`` imports the driver's bindings.
"""
