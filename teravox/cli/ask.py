"""Asks before something is lost."""

from __future__ import annotations

import sys

from teravox.pipeline.errors import BadUsage


def is_agreed(plan: str, *, yes: bool) -> bool:
    """Say what will be done and ask for it; BadUsage where nobody can be asked and `yes` was not said."""
    if yes:
        print(plan)
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise BadUsage(f"{plan} Nobody is here to be asked: say --yes to have it done")
    print(f"{plan} Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return True
    print("Nothing was changed.", file=sys.stderr)
    return False
