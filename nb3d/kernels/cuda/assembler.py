"""The assembler: from PTX to machine code of an architecture, and which architectures there are. Needs no GPU.

NVIDIA names an architecture by its compute capability, ``sm_86`` for 8.6. Code of one name runs on the cards of that
capability, so a card and a user who has none must come to the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

OLDEST = (8, 0)  # the capability that kernels need: asynchronous copies, TF32, BF16

_SPELLING = re.compile(r"(?:sm_)?(\d+)\.?(\d)[af]?")


def assemble(ptx: str, architecture: str) -> tuple[bytes, str]:
    """Returns machine code for an architecture, and the assembler's report of registers and memory.

    Raises:
        RuntimeError: If the assembler does not know the architecture, or refuses the PTX, with its own words.
    """
    from cuda.bindings import nvjitlink

    try:
        handle = nvjitlink.create(3, [f"-arch={architecture}", "-O3", "-verbose"])
    except nvjitlink.nvJitLinkError as error:
        raise RuntimeError(
            f"The installed compilers do not know {architecture} ({error}): they know {', '.join(known())}. Newer "
            'GPUs need newer compilers: pip install --upgrade "nb3d[cuda]".'
        ) from None
    try:
        text = ptx.encode()
        try:
            nvjitlink.add_data(handle, nvjitlink.InputType.PTX, text, len(text), "nb3d")
            nvjitlink.complete(handle)
        except nvjitlink.nvJitLinkError as error:
            words = bytearray(nvjitlink.get_error_log_size(handle))
            nvjitlink.get_error_log(handle, words)
            raise RuntimeError(f"The assembler for {architecture} refuses: {words.decode()} ({error})") from None
        code = bytearray(nvjitlink.get_linked_cubin_size(handle))
        nvjitlink.get_linked_cubin(handle, code)
        log = bytearray(nvjitlink.get_info_log_size(handle))
        nvjitlink.get_info_log(handle, log)
    finally:
        nvjitlink.destroy(handle)
    return bytes(code), log.decode().replace("\0", "")


def architecture_of(major: int, minor: int) -> str:
    """Returns the name of the architecture of a compute capability."""
    return f"sm_{major}{minor}" + ("a" if (major, minor) == (9, 0) else "")


@cache
def known() -> tuple[str, ...]:
    """Returns the architectures that the installed assembler knows and kernels can run on, the oldest first.

    It is only asked about names that may exist: some others, ``sm_1``, end the process.
    """
    capabilities = [(major, minor) for major in range(OLDEST[0], 20) for minor in range(10)]
    return tuple(name for name in (architecture_of(*pair) for pair in capabilities) if _is_known(name))


def _is_known(name: str) -> bool:
    from cuda.bindings import nvjitlink

    try:
        handle = nvjitlink.create(1, [f"-arch={name}"])
    except nvjitlink.nvJitLinkError:
        return False
    nvjitlink.destroy(handle)
    return True


def architectures(wanted: str | Iterable[str]) -> tuple[str, ...]:
    """Returns the names that cards use of what a user calls them, each once: ``sm_90``, ``sm_90a``, ``9.0``.

    Args:
        wanted: One name, or several.

    Raises:
        ValueError: If there is no such architecture, or kernels cannot run on it.
    """
    return tuple(dict.fromkeys(map(_architecture, [wanted] if isinstance(wanted, str) else wanted)))


def _architecture(wanted: str) -> str:
    found = _SPELLING.fullmatch(wanted)
    name = architecture_of(int(found[1]), int(found[2])) if found else ""
    if name in known():
        return name
    old = found is not None and (int(found[1]), int(found[2])) < OLDEST
    least = ".".join(map(str, OLDEST))
    raise ValueError(
        f"{'Too old an' if old else 'Unknown'} architecture {wanted!r}: kernels need compute capability {least} or "
        f"later, and the installed compilers know {', '.join(known())}."
    )


def versions() -> dict[str, str]:
    """Returns the compilers' libraries with their versions, which takes a tenth of a second.

    Raises:
        Exception: Of many kinds, if one cannot be loaded.
    """
    from cuda.bindings import nvjitlink, nvvm

    found = {"NVVM": nvvm.version(), "nvJitLink": nvjitlink.version()}
    return {name: ".".join(map(str, version)) for name, version in found.items()}
