"""How the uncertainty of a classifier may be measured; told here without NumPy, for the command line."""

from __future__ import annotations

from typing import Literal

Measure = Literal["margin", "entropy", "least-confidence"]

DEFAULT: Measure = "margin"
