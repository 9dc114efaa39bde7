"""`python -m ntmbench.search`. Help is printed before anything heavy is imported."""

import importlib.util
import signal
import sys

if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv[1:]):
        from ntmbench.search.help import print_help

        # When the reader of a pipe stops early (`--help | head`), end as any Unix tool does.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        print_help()
    elif importlib.util.find_spec("optuna") is None:
        sys.exit("ntmbench: a search needs Optuna: pip install 'ntmbench[search]'.")
    else:
        from ntmbench.search.command import main

        main()
