"""Evaluations of small layers, stage by stage in this process, and what they should find."""

from __future__ import annotations

import random as python_random
from pathlib import Path
from typing import Any

import msgspec

from teravox.pipeline.evaluation.declaration import Evaluation
from teravox.pipeline.evaluation.report import Report, read_report
from teravox.pipeline.storage.open import open_store
from teravox.tasks.evaluate.count import Count
from teravox.tasks.evaluate.reduce import Reduce


def evaluate(a: str, b: str, dest: Path | str, *, random: python_random.Random | None = None, **options: Any) -> Report:
    """Do all stages; with `random`, every piece twice and in any order."""
    count = Count(a=a, b=b, dest=str(dest), **options)
    told = {name: getattr(count, name) for name in Evaluation.__struct_fields__}
    for job in (count, Reduce(**told, side="a"), Reduce(**told, side="b")):
        job.prepare()
        pieces: list[Any] = list(job.pieces())
        for piece in pieces if random is None else random.sample(pieces * 2, 2 * len(pieces)):
            job.run(piece)
        stored = msgspec.json.decode(msgspec.json.encode(job), type=type(job))
        stored.finish()
        assert job.report is not None
    return read_report(open_store(str(dest)))


def files_of_report(dest: Path) -> dict[str, bytes]:
    """What an evaluation left for people, but for tables that are cut by ranges and what says who made it when."""
    left_out = ("stages", "bodies_a", "bodies_b", "provenance", "ledger")
    files = (file for file in dest.rglob("*") if file.is_file())
    return {
        str(file.relative_to(dest)): file.read_bytes()
        for file in files
        if file.relative_to(dest).parts[0] not in left_out
    }


def figures_of(dest: Path) -> bytes:
    return (dest / "report.json").read_bytes()
