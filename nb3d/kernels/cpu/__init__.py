"""Kernels for the CPU, compiled with Numba.

How a kernel runs: its Python face (``load`` of its module) writes addresses and sizes into an array of words and asks
``launch.py`` to run a *task* for every index, on all threads. A task is a compiled function without Python in it; it is
called through its address, so the one parallel loop of the library is compiled once and every task in a fraction of a
second. The inner products are register tiles (``microkernel.py``) called through their addresses too.

==================  ====================================================================================
``compile.py``      the only place with compile flags; tasks and helpers
``cache.py``        compiled code on disk, in the folder of ``kernels/folders.py``
``threads.py``      number of threads, and what must not happen at once or after a fork
``launch.py``       one loop over tasks, parallel or serial
``host.py``         vectors and registers of this machine
``memory.py``       addresses: typed pointers, copies, calls
``vector_code.py``  vector instructions, to build the next and the transforms of ``winograd/`` with
``microkernel.py``  the register tile
``correlation.py``  the task under every convolution; ``words.py`` names what it reads
``pieces.py``       from sizes to blocks and tiles; ``work.py`` packs weights and launches
``epilogue.py``     residual and activation on a block in L1
``activate.py``     the activations, from the vector functions of ``approximations.py``
==================  ====================================================================================

The other files are implementations that the table names.
"""
