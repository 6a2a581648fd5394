"""Libraries that only some users need."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from teravox.pipeline.errors import BadUsage

EXTRA = {
    "nibabel": "medical",
    "indexed_gzip": "medical",
    "cloudvolume": "graphene",
}  # module → the extra that brings it


def load(module: str, what: str) -> ModuleType:
    """A library of an extra; BadUsage says how to install it where it is absent."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise BadUsage(f"to read {what}, install what it needs: pip install 'teravox[{EXTRA[module]}]'") from None
