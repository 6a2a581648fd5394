"""What to do where a file that the stages of an evaluation leave for each other is missing or damaged."""

from __future__ import annotations

REMEDY = "Run the stages before this one to their ends, with the same options, or the same `teravox evaluate` again"
