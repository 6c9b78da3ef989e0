"""Kernels for NVIDIA GPUs, compiled with Numba. They have the signatures of the CPU's and take device arrays.

Only ``door.py`` imports Numba's CUDA: the package behind it is about to change its name.
"""
