"""Arguments in, exit code out."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence

from nb3d.cli import cache, convert, doctor, info, plan, predict, summary, verify, warmup
from nb3d.version import __version__

FAILED, INTERRUPTED = 1, 130
_COMMANDS = (info, doctor, summary, plan, predict, convert, verify, warmup, cache)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; each command enters its own arguments and the function that carries it out."""
    result = argparse.ArgumentParser(
        prog="nb3d",
        description="Look at 3D networks that Keras saved, run them, and convert their files.",
        epilog="NB3D_DEBUG=1 shows where an error comes from.",
    )
    result.add_argument("--version", action="version", version=f"nb3d {__version__}")
    commands = result.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add(commands)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Carries out a command.

    Args:
        arguments: Words behind ``nb3d``; those of the process where absent.

    Returns:
        The exit code.
    """
    options = parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("nb3d: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # whatever it is, a user of a shell wants one line
        if os.environ.get("NB3D_DEBUG", "0") not in ("", "0"):
            traceback.print_exc()
        print(f"nb3d: error: {_one_line(error)}", file=sys.stderr)
        return FAILED
    return 0


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
