"""The command ``nb3d``: look at model files and run them from a shell.

Exit codes: 0 when all went well, 1 when something failed, 2 when the command was not understood. Errors are one line on
standard error; ``NB3D_DEBUG=1`` shows where they come from.
"""

from nb3d.cli.main import main

__all__ = ["main"]
