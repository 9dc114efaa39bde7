"""``python -m ntmbench.look``: which answers of a trained model are wrong, and where it looked."""

import sys

if __name__ == "__main__":
    from ntmbench.commands.look import main

    sys.exit(main())
