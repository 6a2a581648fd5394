"""The forms in which a merge can write meshes."""

from __future__ import annotations

from typing import Literal

Format = Literal["sharded", "multires", "legacy"]
