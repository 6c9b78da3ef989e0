"""``python -m nb3d``: the same as the command ``nb3d``."""

import sys

from nb3d.cli import main

if __name__ == "__main__":
    sys.exit(main())
