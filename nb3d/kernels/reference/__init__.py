"""The truth: every operation in plain NumPy, readable before fast.

One file per family; each ends with ``KERNELS``, its operations by name. ``float32`` is computed in ``float64`` and
rounded once, so that a faster kernel which disagrees is the one that is wrong.
"""
