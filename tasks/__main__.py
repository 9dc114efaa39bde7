"""``python -m ntmbench.tasks``: the gallery of tasks, or one drawn example of a task."""

import signal
import sys

from ntmbench.commands.gallery import main

if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `... | head` ends as any Unix tool does
    sys.exit(main())
