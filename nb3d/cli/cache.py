"""``nb3d cache info`` and ``nb3d cache clear``: the compiled kernels on disk."""

from __future__ import annotations

import argparse

from nb3d.cli.options import Commands
from nb3d.kernels import folders


def add(commands: Commands) -> None:
    """Enters the command."""
    parser = commands.add_parser("cache", help="compiled kernels on disk: what is there, or take it away")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = actions.add_parser("info", help="where they lie, how many files and bytes, of which versions")
    action.set_defaults(run=info)
    action = actions.add_parser("clear", help="remove them, those of other versions too, and nothing else")
    action.set_defaults(run=clear)


def info(options: argparse.Namespace) -> None:
    """Lists a line per version; those that run now, one of the CPU and one of GPUs, are marked."""
    from nb3d.kernels.cpu import cache  # loads Numba, whose version is part of a fingerprint
    from nb3d.kernels.cuda import program

    current = {cache.fingerprint(), folders.fingerprint(program.compilers())}
    found = folders.folders(folders.place())
    print(f"{folders.place()}: {_total(found)}")
    for folder in found:
        versions = ", ".join(f"{name} {version}" for name, version in folder.versions.items()) or "versions not known"
        now = " (in use now)" if folder.path.name in current else ""
        print(f"{folder.path.name}  {_size(folder.files, folder.size)}: {versions}{now}")


def clear(options: argparse.Namespace) -> None:
    """Removes what ``info`` lists."""
    print(f"{folders.place()}: removed {_total(folders.clear(folders.place()))}")


def _total(found: list[folders.Folder]) -> str:
    files, size = sum(folder.files for folder in found), sum(folder.size for folder in found)
    return f"{_size(files, size)} of {len(found)} version{'' if len(found) == 1 else 's'}"


def _size(files: int, size: int) -> str:
    return f"{files} file{'' if files == 1 else 's'}, {size:,} bytes"
