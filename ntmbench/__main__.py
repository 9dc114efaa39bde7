"""`python -m ntmbench`. Help is printed before anything heavy is imported."""

import sys

if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv[1:]):
        from ntmbench.help import print_help

        print_help()
    else:
        from ntmbench.cli import main

        main()
