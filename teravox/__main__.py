"""`python -m teravox` is the same as `teravox`."""

from __future__ import annotations

import sys

from teravox.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
