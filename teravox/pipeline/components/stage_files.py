"""Where the stages leave files for each other within DEST, and whether those of a stage are all there."""

from __future__ import annotations

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.store import Store

CCL = "image ccl"


def file_key(folder: str, stage: str, index: int) -> str:
    """The key of what a stage leaves of a box or a group."""
    return f"{folder}/{stage}/{index}"


def remedy(command: str, of: str = CCL) -> str:
    """What to do where such a file is missing or damaged; `of` is the words before the name of a stage."""
    return f"run `teravox {of} {command}` again with the same options, or `teravox {of} auto` for all stages"


def require_stage(store: Store, folder: str, stage: str, expected: int, command: str, of: str = CCL) -> None:
    """Raise BadUsage unless a stage has left everything: the next one would otherwise make a wrong result of what is there."""
    found = sum(1 for _ in store.list(f"{folder}/{stage}/"))
    if found < expected:
        raise BadUsage(
            f"{store.url}/{folder}/{stage} holds {found:,} of {expected:,} files: "
            f"first run `teravox {of} {command}` to its end, with the same options"
        )
