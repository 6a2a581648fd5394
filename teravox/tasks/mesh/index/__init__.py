"""Where in the volume meshes lie."""

from __future__ import annotations
