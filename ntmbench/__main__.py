"""`python -m ntmbench`. Help is printed before anything heavy is imported."""

import os
import signal
import sys
from types import FrameType


def leave(number: int, frame: FrameType | None) -> None:
    """End at once, in a line: nothing has begun, and an import cannot be trusted to pass it on."""
    os.write(2, b"ntmbench: interrupted before anything began.\n")
    os._exit(128 + number)


if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv[1:]):
        from ntmbench.commands.help import print_help

        # When the reader of a pipe stops early (`--help | head`), end as any Unix tool does.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        print_help()
    else:
        before = signal.getsignal(signal.SIGINT)
        if before is signal.default_int_handler:  # not ignored, as in the background of a shell
            signal.signal(signal.SIGINT, leave)
        from ntmbench.commands.application import main

        signal.signal(signal.SIGINT, before)
        main()
