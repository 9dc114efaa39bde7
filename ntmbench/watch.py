"""``python -m ntmbench.watch``: what runs, what waits and what failed in a results folder."""

import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `--once | head` ends as any Unix tool does
    try:
        from ntmbench.commands.watch import main

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
