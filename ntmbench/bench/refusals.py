"""How the benchmark's commands end where the user can mend it: in a line, with the exit code 2."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from ntmbench.errors import UserError

REFUSED = 2
INTERRUPTED = 130


class Main(Protocol):
    """A command."""

    def __call__(self, arguments: Sequence[str] | None = None) -> int:
        """Run it on these arguments, or on those of the process; returns the exit code."""


def refusing(command: str) -> Callable[[Callable[[Sequence[str] | None], None]], Main]:
    """Make a command of a function that raises, under the name that its messages begin with.

    The exit code is 2 for a UserError or an OSError, 130 for an interruption, and 0 otherwise.
    """

    def refusing_command(run: Callable[[Sequence[str] | None], None]) -> Main:
        @functools.wraps(run)
        def main(arguments: Sequence[str] | None = None) -> int:
            try:
                run(arguments)
            except UserError as error:
                return _told(f"{command}: {error}", REFUSED)
            except OSError as error:
                return _told(f"{command}: {error.filename}: {error.strerror}", REFUSED)
            except KeyboardInterrupt:
                told = "interrupted; what was not finished was not written."
                return _told(f"{command}: {told}", INTERRUPTED)
            return 0

        return main

    return refusing_command


def _told(line: str, code: int) -> int:
    print(line, file=sys.stderr)
    return code
