"""Where stitching leaves its files, within the layer of the blocks."""

from __future__ import annotations

from teravox.pipeline.box import Vec
from teravox.pipeline.stitching.declaration import Choice, digest

OVERLAPS = "overlaps"  # what is there to be joined, by block
TABLES = "overlaps.parquet"  # the same for people


def stitch_folder(blocks: str) -> str:
    """Where all that is made of some blocks lies."""
    return f"stitch/{blocks}"


def rule_folder(blocks: str, choice: Choice) -> str:
    """Where all that a rule makes of them lies."""
    return f"{stitch_folder(blocks)}/{choice.rule}-{choice.digest}"


def joined_folder(blocks: str, choice: Choice, least: int, group: Vec) -> str:
    return f"{rule_folder(blocks, choice)}/joined-{digest((least, group))}"
