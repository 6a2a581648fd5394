"""Options that the kinds of contrast share."""

from __future__ import annotations

from typing import Annotated

from teravox.pipeline.options import says

LevelsPlace = Annotated[
    str | None, says("Path or URL where the levels lie. Default: beside the layer that they are of.", form="layer")
]
KeepBackground = Annotated[bool, says("Let background (0) stay 0, and not count.")]
