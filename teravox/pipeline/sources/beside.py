"""Other files that a file names, where voxels of it lie."""

from __future__ import annotations

import os
from pathlib import Path

from teravox.pipeline.allowed import is_allowed, say_allowed
from teravox.pipeline.errors import BadInput


def file_beside(path: str, name: str, what: str) -> str:
    """The file that another one names; BadInput unless it is there, in the folder of that one or below, and allowed.

    So a file that came from somewhere cannot have others read that its sender does not own.
    """
    folder = os.path.dirname(path)  # noqa: PTH120 - plain
    there = os.path.join(folder, name)  # noqa: PTH118 - plain
    if "\0" in name or ".." in name.split("/") or not there.startswith(f"{folder}/"):
        raise BadInput(f"{path} says that {what} at {name}; it is only looked for in its own folder and below")
    if not is_allowed(there):
        raise BadInput(f"{path} says that {what} at {name}, {say_allowed()}")
    if not Path(there).is_file():
        raise BadInput(f"{path} says that {what} at {name}, and there is no such file")
    return there
