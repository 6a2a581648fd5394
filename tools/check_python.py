"""Says in one sentence what is missing if this Python cannot make the environment."""
# ruff: noqa: INP001, I002, UP032, UP036  # a script that Python 2 and early 3 must be able to read

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "teravox needs Python 3.11 or newer, and {} is {}. Name another one: make PYTHON=python3.12".format(
            sys.executable, sys.version.split()[0]
        )
    )
try:
    import ensurepip  # noqa: F401  # only asked whether it is there
    import venv  # noqa: F401  # only asked whether it is there
except ImportError as error:
    sys.exit(
        "{} cannot make virtual environments ({}). On Debian: apt-get install python3-venv".format(
            sys.executable, error
        )
    )
