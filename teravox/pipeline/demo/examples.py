"""The example pipeline files: within the package where it was installed, else in the folder beside it."""

from __future__ import annotations

from pathlib import Path

import teravox
from teravox.pipeline.errors import BadUsage


def read_example(name: str) -> bytes:
    """The text of an example, such as em_to_scene.toml."""
    package = Path(teravox.__file__).parent
    for folder in (package / "examples", package.parent / "examples"):
        if (folder / name).is_file():
            return (folder / name).read_bytes()
    raise BadUsage(f"this installation of teravox has no example {name}: install it anew")
