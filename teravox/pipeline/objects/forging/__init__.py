"""What cutting meshes and cutting skeletons out of pieces have in common."""

from __future__ import annotations
