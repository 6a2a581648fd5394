"""Where the stages leave files for each other, and for people, within DEST."""

from __future__ import annotations

from teravox.pipeline.sorted_rows.key_range import KeyRange

REPORT = "report.json"
SIDES = ("a", "b")  # whose labels are looked at, first those of A


def pairs_key(folder: str, index: int) -> str:
    """The pairs of labels of a piece."""
    return f"{folder}/pairs/{index}"


def bodies_key(folder: str, index: int) -> str:
    """The labels of A in a piece."""
    return f"{folder}/bodies/{index}"


def regions_key(folder: str, index: int) -> str:
    """The scores of the regions of a piece."""
    return f"{folder}/regions/{index}.json"


def plan_key(folder: str, side: str) -> str:
    """The ranges into which one side is cut."""
    return f"{folder}/ranges-{side}.json"


def tables_folder(side: str) -> str:
    """Where the tables of a side's labels lie, for people."""
    return "bodies_a" if side == "a" else "bodies_b"


def shared_key(side: str, piece: KeyRange) -> str:
    """The part of a table with the labels that lie in several ranges of a plan."""
    return f"{tables_folder(side)}/{piece.plan}-shared.parquet"


def reduced_keys(folder: str, side: str, piece: KeyRange) -> dict[str, str]:
    """What a range leaves behind: its figures, its part of a table, and for the other side its pairs and labels."""
    name = f"{piece.plan}-{piece.number:05d}"
    start = f"{folder}/reduced-{side}/{name}"
    keys = {"sums": f"{start}.json", "table": f"{tables_folder(side)}/{name}.parquet"}
    return keys | ({"pairs": f"{start}.pairs", "bodies": f"{start}.bodies"} if side == "a" else {})
