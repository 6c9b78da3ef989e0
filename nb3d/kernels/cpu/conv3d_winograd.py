"""conv3d by Winograd's minimal filtering, along every axis with 2 to 7 taps. See ``winograd/``.

For stride 1 and weights that are known before the run: they are transformed once, to 2 to 8 times their size, unless
they would no longer fit the caches and few tiles need them: then at every run, a part at a time.
``accepts`` says what can be computed, ``declines`` what should not be, for one of three reasons: the policy forbids
it, no tile is expected to keep the policy's error, or the direct kernel is estimated faster. All look at one sample
only, so that a result does not depend on the batch it is computed in.

A NaN or an infinity in the input makes NaN of the output voxels of all tiles that read it, up to ``m - 1`` voxels more
along each axis than the kernel reaches. The policy ``strict`` avoids that.
"""

from __future__ import annotations

import math

import numpy as np

from nb3d.kernels import policy
from nb3d.kernels.activations import Activation, is_plain_relu
from nb3d.kernels.case import OUT, Arrays, Case, Kernel
from nb3d.kernels.cpu.arrays import CACHE_LINE, address, round_up
from nb3d.kernels.cpu.epilogue import finish_address
from nb3d.kernels.cpu.launch import launch
from nb3d.kernels.cpu.microkernel import tile
from nb3d.kernels.cpu.operands import why_not_floats
from nb3d.kernels.cpu.streaming import streams
from nb3d.kernels.cpu.winograd import words as word
from nb3d.kernels.cpu.winograd.blocks import Blocks, arrange, is_packed_for, pack
from nb3d.kernels.cpu.winograd.cost import Choice, fastest, most_exact
from nb3d.kernels.cpu.winograd.task import filter_tiles
from nb3d.kernels.cpu.winograd.transforms import gather, planes, spread, weights, write

MOST_TAPS = 7


def accepts(case: Case) -> str | None:
    """Accepts what the transforms can compute."""
    if len(case.constant) < 2 or not case.constant[1]:
        return "transforms its weights once, and these are not known before the run"
    taps = case.inputs[1][:3]
    if case.params[:3] != (1, 1, 1):
        return f"only for stride 1, got {case.params[:3]}"
    if max(taps) == 1 or max(taps) > MOST_TAPS:
        return f"only for 2 to {MOST_TAPS} taps along an axis, got {taps}"
    if why := why_not_floats(case, weights=(1,)):
        return why
    if fastest(case, math.inf) is None:
        return "a block of tiles would need too much memory"
    return None


def slices(case: Case) -> tuple[int, ...]:
    """The input, and the output unless a residual that lies otherwise is added."""
    return (0, OUT) if case.inputs[3] == (0,) else (0,)


def declines(case: Case) -> str | None:
    """Declines what the policy forbids and what the direct kernel is estimated to do faster."""
    allowed = policy.current()
    if allowed.algorithm == "strict":
        return "the policy is strict"
    choice = fastest(case, _max_error(case))
    if choice is None:
        return f"no tile is expected to keep an error of {_max_error(case):g}"
    if not choice.pays:
        return f"direct is estimated faster: {choice.direct:.2g} to {choice.time:.2g} multiply-adds of time"
    return None


def _max_error(case: Case) -> float:
    """Returns the policy's error, which is meant for float32: as many roundings of float64 make less."""
    return policy.current().max_error * float(np.finfo(case.out_dtype).eps / np.finfo(np.float32).eps)


def _choice(case: Case) -> Choice:
    """Returns the tile to compute a case with: forced ones may have to do with the smallest error there is."""
    choice = fastest(case, _max_error(case)) or most_exact(case)
    assert choice is not None
    return choice


def _work(case: Case) -> Blocks:
    choice = _choice(case)
    return arrange(case, choice.tile, choice.fresh)


def prepare(case: Case, inputs: Arrays) -> Arrays:
    """Transforms and packs the weights."""
    return inputs[0], pack(_work(case), inputs[1]), *inputs[2:]


def scratch(case: Case, threads: int) -> int:
    """Every thread has the transformed voxels and the products of a block of tiles."""
    work = _work(case)
    return work.scratch * min(threads, work.tasks) + CACHE_LINE


def _sends(case: Case, work: Blocks) -> bool:
    """Returns whether results go around the caches: large ones, a whole cache line at a time."""
    size = np.dtype(case.out_dtype).itemsize
    lines = (int(work.words[word.LANES]), int(work.words[word.FILTERS]), case.pitch(OUT))
    whole = all(values * size % CACHE_LINE == 0 for values in lines)
    done = is_plain_relu(*case.params[10:13]) or case.params[10] == int(Activation.LINEAR)
    return whole and done and bool(streams(math.prod(case.out) * size, False))


def _write(case: Case, work: Blocks, masked: bool, sent: bool = False) -> int:
    """Returns the address of the way back to voxels."""
    h, w, d = work.axes
    form = h, w, d.n > 1, int(work.words[word.LANES]), work.dtype
    return write(*form, masked, case.inputs[3] != (0,), is_plain_relu(*case.params[10:13]), sent).address


def _with_functions(case: Case, work: Blocks) -> np.ndarray:
    """Returns the words of a case with the addresses of its functions, compiled."""
    words, dtype, (h, w, d) = work.words.copy(), work.dtype, work.axes
    lanes_in, lanes, rows, columns = (int(words[i]) for i in (word.LANES_IN, word.LANES, word.TILE_ROWS, word.COLUMNS))
    slots = d.n if d.n > 1 else 1 << 40

    words[word.LOAD] = words[word.LOAD_LAST] = planes(h, w, slots, lanes_in, dtype, False).address
    if words[word.CHANNELS] % lanes_in:
        words[word.LOAD_LAST] = planes(h, w, slots, lanes_in, dtype, True).address
    if d.n > 1:
        words[word.SPREAD] = spread(d, h.n * w.n, lanes_in, dtype).address
        words[word.GATHER] = gather(d, h.n * w.n, lanes, dtype).address
    if words[word.FILTERS] >= lanes:
        words[word.WRITE] = _write(case, work, masked=False)
    if words[word.FILTERS] % lanes:
        words[word.WRITE_LAST] = _write(case, work, masked=True)
    if work.fresh:
        step = lanes * columns * int(words[word.SIZE])
        words[word.WEIGHTS] = weights(h, w, d, lanes, step, int(words[word.U_NEXT]), dtype).address
    words[word.FINISH] = 0 if is_plain_relu(*case.params[10:13]) else finish_address(case.params[10], dtype, False)
    words[word.TILE] = words[word.TILE_MORE] = tile(rows, columns, dtype, lanes=lanes).address
    if words[word.TILES] % words[word.ROWS]:
        words[word.TILE_MORE] = tile(rows + 1, columns, dtype, lanes=lanes).address
    return words


def load(case: Case) -> Kernel:
    """Returns the kernel, compiled."""
    work = _work(case)
    template, task = _with_functions(case, work), filter_tiles.address
    numbers = np.array(case.params[11:13], np.float64)
    sent = _write(case, work, masked=False, sent=True) if _sends(case, work) else 0

    def conv3d(x, packed, bias, residual, out, scratch, *params):
        if not is_packed_for(work, packed):
            raise ValueError("The weights were not packed for this kernel: the policy changed after they were.")
        words = template.copy()
        words[word.X], words[word.U], words[word.OUT] = address(x), address(packed) + CACHE_LINE, address(out)
        words[word.BIAS], words[word.RESIDUAL] = address(bias), address(residual)
        if sent and words[word.OUT] % CACHE_LINE == 0 and words[word.OUT] != words[word.RESIDUAL]:
            words[word.WRITE] = sent
        begin = address(scratch)
        words[word.SCRATCH] = round_up(begin)
        room = (begin + scratch.size - int(words[word.SCRATCH])) // work.scratch
        if room < 1:
            raise ValueError(f"Expected at least {work.scratch + CACHE_LINE} bytes of scratch, got {scratch.size}.")
        launch(task, words, numbers, work.tasks, room)

    return conv3d
