"""Center lines of labels, for Neuroglancer and for files."""

from __future__ import annotations
