from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teravox.pipeline.box import Box
from teravox.pipeline.job import Job
from teravox.pipeline.ledger import Ledger, finish_if_complete
from teravox.pipeline.storage.atomic_write import is_temporary
from teravox.pipeline.storage.leftovers import OLD, sweep_leftovers
from teravox.pipeline.storage.open import open_store

YESTERDAY = time.time() - OLD - 60


def put(file: Path, *, when: float | None = None) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"half")
    if when is not None:
        os.utime(file, (when, when))
    return file


def test_only_old_unfinished_writes_are_swept_and_only_where_it_is_asked_for(tmp_path: Path) -> None:
    mark = f".{'0' * 16}.tmp"
    old = [put(tmp_path / "s0" / f".{name}{mark}", when=YESTERDAY) for name in ("0-64", "info", "x.gz")]
    kept = [
        put(tmp_path / "s0" / f".young{mark}"),
        put(tmp_path / "s0" / "0-64_0-64_0-64", when=YESTERDAY),
        put(tmp_path / "s0" / f"not-hidden{mark}", when=YESTERDAY),
        put(tmp_path / "s0" / ".somebody.tmp", when=YESTERDAY),
        put(tmp_path / "s0" / "below" / f".0{mark}", when=YESTERDAY),
        put(tmp_path / "s1" / f".0{mark}", when=YESTERDAY),
    ]
    assert sweep_leftovers(str(tmp_path), ["s0", "none"]) == 3
    assert not any(file.exists() for file in old)
    assert all(file.exists() for file in kept)
    assert sweep_leftovers(str(tmp_path), ["s1", ""]) == 1


def test_what_another_sweeps_at_the_same_moment_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / f".0.{'0' * 16}.tmp", when=YESTERDAY)

    unlink = os.unlink

    def be_late(path: str) -> None:
        unlink(path)
        unlink(path)

    monkeypatch.setattr(os, "unlink", be_late)
    assert sweep_leftovers(str(tmp_path), [""]) == 0


def test_buckets_have_no_leftovers() -> None:
    assert sweep_leftovers("mem://bucket/layer", ["s0"]) == 0


class Blur(Job[Box], frozen=True):
    """Blur a layer."""

    layer: str

    def pieces(self) -> Sequence[Box]:
        return [Box((x, 0, 0), (x + 1, 1, 1)) for x in range(3)]

    def outputs(self, piece: Box) -> Sequence[str]:
        return [f"s{mip}/{piece.min[0]}" for mip in (1, 2)]


def test_a_job_ends_with_a_sweep_of_the_folders_that_it_wrote_to(tmp_path: Path) -> None:
    mark = f".{'0' * 16}.tmp"
    swept = [put(tmp_path / f"s{mip}" / f".0{mark}", when=YESTERDAY) for mip in (1, 2)]
    kept = put(tmp_path / "s0" / f".0{mark}", when=YESTERDAY)
    job = Blur(layer=str(tmp_path))
    ledger = Ledger(open_store(str(tmp_path)), "0" * 32)
    ledger.open("blur", job, 0, "")
    assert finish_if_complete(ledger, job)
    assert not any(file.exists() for file in swept)
    assert kept.exists()


@given(st.text(min_size=1, max_size=60).filter(lambda name: "/" not in name and "\0" not in name))
def test_no_name_of_a_chunk_is_taken_for_an_unfinished_write(name: str) -> None:
    assert not is_temporary(name) or name.startswith(".")
