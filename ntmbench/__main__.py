"""`python -m ntmbench`. Help is printed before anything heavy is imported."""

import signal
import sys

if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv[1:]):
        from ntmbench.commands.help import print_help

        # When the reader of a pipe stops early (`--help | head`), end as any Unix tool does.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        print_help()
    else:
        from ntmbench.commands.application import main

        main()
