"""``python -m ntmbench.archive``: pack the runs of a results folder into one file."""

import sys

from ntmbench.commands.archive import main

if __name__ == "__main__":
    sys.exit(main())
