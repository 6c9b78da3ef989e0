"""Winograd's minimal filtering for ``conv3d``: fewer multiplications, in one to three dimensions.

================  =====================================================================================
``points.py``     the matrices, from interpolation points chosen for a small error
``chains.py``     a transform of one axis as few vector operations
``emit.py``       the transforms of a plane and along the depth, as LLVM vector code
``transforms.py`` the same as functions, with loops over planes
``task.py``       a block of tiles: input transform, products, output transform; ``words.py`` what it reads
``blocks.py``     from a case to blocks, scratch and packed weights
``cost.py``       which tile, and whether it pays: time and error as numbers
================  =====================================================================================

The implementation that the table names is ``conv3d_winograd.py``, one floor up.
"""
