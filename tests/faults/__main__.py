"""`python -m tests.faults [which ...] [--number N] [--seed S]`: campaigns of faults, counted."""

from __future__ import annotations

import argparse
import sys
import time

from tests.faults.campaign import Campaign, campaigns


def main() -> int:
    """Run the campaigns; the exit code is 1 if one found a fault."""
    known = campaigns()
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Run campaigns of faults, and print for each of them its counts in a line and "
        "every fault with how to repeat it.",
    )
    parser.add_argument(
        "which", nargs="*", metavar="which", help=f"default: all of {', '.join(known)}"
    )
    parser.add_argument("--number", type=int, help="how many of each; default: the campaign's own")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    given = parser.parse_args()
    if unknown := [name for name in given.which if name not in known]:
        parser.error(f"there is no campaign {unknown[0]}; allowed: {', '.join(known)}")
    if given.number is not None and given.number < 1:
        parser.error(f"--number {given.number} is out of range; allowed: 1 or more")
    faults = [_report(name, known[name], given.number, given.seed) for name in given.which or known]
    return 1 if any(faults) else 0


def _report(name: str, campaign: Campaign, number: int | None, seed: int) -> int:
    """Print what a campaign counted; return the number of its faults."""
    started = time.monotonic()
    counted = campaign.run(number or campaign.whole, seed)
    print(f"{name}: {counted.line} ({time.monotonic() - started:.0f} s)", flush=True)
    for fault in counted.faults:
        print(f"\n{fault.repeat}\n{fault.told.rstrip()}", flush=True)
    return len(counted.faults)


if __name__ == "__main__":
    sys.exit(main())
