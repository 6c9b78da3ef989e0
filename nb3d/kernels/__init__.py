"""Kernels: pure functions over arrays, and the table that chooses among them.

The contract of every kernel, on every device:

    fn(*inputs, out, scratch, *params) -> None

* Arrays are C-contiguous and aligned; volumes are NDHWC: ``(batch, depth, height, width, channels)``. An operand that
  ``slices`` names may be a slice of the channels of a larger one; ``case.pitches`` says how far its voxels lie apart.
* An absent operand (no bias, no residual) is an array of length 0, ``np.empty(0, dtype)``.
* ``out`` is allocated by the caller and written completely; its old content is never read. It shares memory with no
  input but, if the caller likes, one that ``overwrites`` names.
* ``scratch`` is a 1-D ``uint8`` array of at least the bytes the implementation asked for (often 0). A kernel never
  allocates in proportion to its data.
* ``params`` arrive resolved: plain ints and floats (tuples of them for the structural operations), never a string,
  never ``None``. A padding is the number of voxels *before* the volume (of a convolution's, negative where voxels are
  skipped); what lies behind it follows from ``out``.
* Work is divided over outputs, never over a reduction, so results are bitwise equal for any number of threads.
* NaN and infinities propagate as they do in NumPy.
* A kernel gets its inputs as ``prepare`` returned them. ``prepare`` may run once and the kernel often, as long as the
  inputs that are ``constant`` in the case do not change; other inputs may be replaced. It is safe to call one kernel
  from several Python threads, each with its own ``out`` and ``scratch``.
* On ``cuda`` operands are ``cuda.arrays.Array``, a kernel asks for launches when it is called (``cuda/launches.py``),
  and ``prepare`` still gets and returns NumPy arrays.

The operations and their parameters (``sd, sh, sw`` strides, ``pd, ph, pw`` paddings before, ``dd, dh, dw`` dilations):

====================  ==========================================  =====================================================
operation             inputs                                      params
====================  ==========================================  =====================================================
conv3d                x, kernel (kd,kh,kw,ci/groups,co), bias,    sd sh sw pd ph pw dd dh dw groups
                      residual (shape of out, or length 0)        activation alpha beta
conv3d_transpose      x, kernel (kd,kh,kw,co,ci), bias            sd sh sw pd ph pw dd dh dw activation alpha beta
dense                 x (rows, in), kernel (in, out), bias        activation alpha beta
max_pool3d            x                                           kd kh kw sd sh sw pd ph pw
average_pool3d        x                                           kd kh kw sd sh sw pd ph pw (padding is not counted)
adaptive_max_pool3d,  x                                           (window i of n: floor(i * size / n) to
adaptive_average_...                                              ceil((i + 1) * size / n))
upsample3d            x                                           fd fh fw (nearest: every voxel repeated)
upsample3d_linear     x                                           fd fh fw (centres half a voxel from the border)
pad3d                 x                                           pd ph pw (zeros)
crop3d                x                                           cd ch cw (voxels cut before)
batch_normalization   x, mean, variance, offset, scale            epsilon axis activation alpha beta
normalization         x, offset, scale (a value per channel)      first groups epsilon centered divisor
                                                                  activation alpha beta
softmax, log_softmax, x                                           axis
sparsemax
the activations       x                                           alpha beta (see ``activations.py``)
prelu                 x, slope (broadcast over leading axes)
sum, mean, max, ...   x                                           axes (a tuple; ``out`` says whether they stay)
argmax, argmin        x                                           axis
unary, binary         x / a, b (broadcast as NumPy does)
clip                  x                                           low high
where                 condition, a, b
matmul                a, b (``numpy.matmul``)
einsum                a, b, ...                                   equation (``numpy.einsum``, no ellipsis)
concatenate           x0, x1, ...                                 axis
transpose             x                                           axes (a tuple)
slice                 x                                           starts steps (tuples; out's shape gives the lengths)
reshape, cast,        x
broadcast_to,
identity
unfold                x, like (its shape alone)
assign                variable, value (broadcast to the variable)
pad                   x                                           pairs mode value (``numpy.pad``)
take, take_along_axis x, indices                                  axis (``numpy.take``)
sort, argsort         x                                           axis
cumsum, cumprod       x                                           axis
dropout               x                                           rate noise_shape (a tuple) generator
normal                x (its shape alone)                         generator
====================  ==========================================  =====================================================

``conv3d`` writes ``activation(cross_correlation(x, kernel) + bias + residual)``; ``conv3d_transpose`` adds
``x[i] * kernel[k]`` to ``out[i * stride + k * dilation - padding]`` and then bias and activation. ``normalization``
takes statistics over the axes from ``first`` on, those of each of ``groups`` groups of neighbouring channels by
themselves: it subtracts the mean if ``centered``, and divides as ``divisors.py`` says.
"""
