"""Where in the volume skeletons lie."""

from __future__ import annotations
