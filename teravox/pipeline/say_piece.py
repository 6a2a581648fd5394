"""Pieces in few words, for people."""

from __future__ import annotations

from typing import Any

import msgspec


def say_piece(piece: Any) -> str:  # Any: a struct or any JSON, since kinds differ
    """A piece: a box as boxes are typed, anything else by its fields."""
    said = msgspec.to_builtins(piece)
    if (
        isinstance(said, dict)
        and set(said) == {"min", "max"}
        and all(isinstance(v, list | tuple) for v in said.values())
    ):
        return ":".join(",".join(map(str, said[corner])) for corner in ("min", "max"))
    if isinstance(said, dict):
        return " ".join(f"{name}={say_piece(value)}" for name, value in said.items())
    if isinstance(said, list | tuple):
        return ",".join(map(say_piece, said))
    return str(said)
