"""teravox: teravoxel images into data sets that people can look at and measure."""

from __future__ import annotations

__version__ = "0.1.0"
