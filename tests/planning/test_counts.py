from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from planning.planned import do, make_job, plan
from planning.volumes import CHUNK, grey, known_file, labels, write_volumes

from teravox.pipeline.box import Box
from teravox.pipeline.layers import one_pass
from teravox.pipeline.layers.by_chunk import ByChunk
from teravox.pipeline.planning.foresight import trying
from teravox.tasks.image.downsample import Downsample

Options = dict[str, Any]  # of whatever kind


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a raw image, labels in chunks of compressed_segmentation, and the same in shards."""
    folder = tmp_path_factory.mktemp("counts")
    write_volumes(folder)
    do(make_job("create", **grey(folder, "em")))
    do(make_job("create", **labels(folder, "seg")))
    do(make_job("shard image", layer=f"file://{folder}/seg", dest=f"file://{folder}/shards"))
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy of it for each test."""
    return Path(shutil.copytree(made, tmp_path / "place"))


def url(place: Path, name: str) -> str:
    return f"file://{place}/{name}"


EXACT: list[tuple[str, Options]] = [
    ("image downsample", {"layer": "em", "num_mips": 2, "compress": "none"}),
    ("image transfer", {"source": "seg", "dest": "copy", "shape": CHUNK}),
    (
        "image transfer",
        {
            "source": "em",
            "dest": "cut",
            "bounds": {"min": (3, 5, 7), "max": (61, 60, 59)},
            "chunk_size": (16, 16, 16),
            "compress": "none",
        },
    ),
    ("image reorder", {"source": "em", "dest": "sorted", "mapping": "order.csv", "shape": CHUNK, "compress": "none"}),
    ("image contrast clahe", {"source": "em", "dest": "clahe", "shape": CHUNK, "tile_size": (16, 16), "compress": "none"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "options"), EXACT)
def test_bytes_and_requests_are_those_of_a_real_run(kind: str, options: Options, place: Path) -> None:
    job = make_job(kind, **_with_places(options, place))

    planned = plan(kind, job)
    done = do(job)

    assert planned.reads.exact
    assert planned.writes.exact
    assert (planned.tasks, planned.reads.bytes, planned.reads.requests) == (done.tasks, done.bytes_in, done.requests_in)
    assert (planned.writes.bytes, planned.writes.requests) == (done.bytes_out, done.requests_out)


CHAINS: list[list[tuple[str, Options]]] = [
    [("image downsample", {"layer": "seg", "num_mips": 1, "shape": (64, 64, 32)})],
    [("image count", {"layer": "seg", "shape": CHUNK})],
    [("image roi", {"layer": "seg", "mip": 0})],
    [
        (f"image ccl {stage}", {"source": "seg", "dest": "cc", "shape": (32, 32, 64)})
        for stage in ("faces", "links", "resolve", "relabel")
    ],
    [
        ("image contrast histogram", {"layer": "em", "coverage": 1}),
        ("image contrast equalize", {"source": "em", "dest": "even", "shape": CHUNK, "smooth": 2}),
    ],
    [("mesh forge", {"layer": "seg", "shape": (64, 64, 32)})],
    [("skeleton forge", {"layer": "seg", "shape": (64, 64, 32)})],
    [
        ("segment", {"source": "em", "dest": "blocks", "shape": (64, 64, 32), "halo": (4, 4, 4)}),
        ("stitch match", {"layer": "blocks"}),
        ("stitch resolve", {"layer": "blocks"}),
        ("stitch resolve", {"layer": "blocks", "step": 2}),
        ("stitch relabel", {"layer": "blocks"}),
    ],
    [("evaluate count", {"a": "seg", "b": "shards", "dest": "report", "shape": CHUNK})],
]


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain[0][0])
def test_requests_of_kinds_and_of_the_stages_after_them_are_those_of_a_real_run(
    chain: list[tuple[str, Options]], place: Path
) -> None:
    for kind, options in chain:
        job = make_job(kind, **_with_places(options, place))

        planned = plan(kind, job)
        done = do(job)

        if kind != "evaluate count":  # one of its layers is sharded, so what is read is estimated
            assert planned.reads.requests == done.requests_in, kind
        assert planned.reads.bytes == (
            done.bytes_in if planned.reads.exact else pytest.approx(done.bytes_in, rel=0.3)
        ), kind
        assert (planned.tasks, planned.writes.requests) == (done.tasks, done.requests_out), kind


def test_a_layer_that_was_read_from_shards_is_estimated_and_near(place: Path) -> None:
    job = make_job("image transfer", source=url(place, "shards"), dest=url(place, "unsharded"))

    planned = plan("image transfer", job)
    done = do(job)

    assert not planned.reads.exact
    assert planned.reads.bytes == pytest.approx(done.bytes_in, rel=0.1)
    assert planned.reads.requests == pytest.approx(done.requests_in, abs=3)


def test_missing_chunks_of_a_copy_are_neither_read_nor_written(place: Path) -> None:
    do(make_job("image transfer", source=url(place, "seg"), dest=url(place, "holes"), shape=CHUNK))
    (place / "holes/8_8_8/0-32_0-32_0-32.gz").unlink()
    job = make_job(
        "image transfer", source=url(place, "holes"), dest=url(place, "filled"), shape=CHUNK, fill_missing=True
    )

    planned = plan("image transfer", job)
    done = do(job)

    assert planned.counter.missing == 1
    assert (planned.writes.bytes, planned.writes.requests) == (done.bytes_out, done.requests_out)
    assert (planned.reads.bytes, planned.reads.requests) == (done.bytes_in, done.requests_in)


def test_raw_chunks_are_written_as_planned(place: Path) -> None:
    job = make_job("create", **labels(place, "raw", encoding="raw", compress="none"))

    planned = plan("create", job)
    done = do(job)

    assert planned.writes.exact
    assert (planned.writes.bytes, planned.writes.requests) == (done.bytes_out, done.requests_out)


def test_a_merge_is_planned_by_its_fragments(place: Path) -> None:
    do(make_job("mesh forge", layer=url(place, "seg"), shape=CHUNK, dir="m"))
    job = make_job("mesh merge", layer=url(place, "seg"), dir="m")

    planned = plan("mesh merge", job)
    done = do(job)

    assert (planned.tasks, planned.writes.requests) == (done.tasks, done.requests_out)
    assert planned.reads.bytes == pytest.approx(done.bytes_in, rel=0.2)
    assert planned.memory == job.memory(job.pieces()[0])


def test_memory_is_that_of_the_largest_piece(place: Path) -> None:
    job = make_job("image count", layer=url(place, "seg"), shape=(48, 48, 48))

    assert plan("image count", job).memory == max(map(job.memory, job.pieces()))


def _with_places(options: Options, place: Path) -> Options:
    said = {name: url(place, value) if name in PLACES else value for name, value in options.items()}
    if "mapping" in said:
        said["mapping"] = known_file(place / options["mapping"])
    return said


PLACES = {"layer", "source", "dest", "a", "b"}


@pytest.mark.parametrize("sharded", [False, True])
def test_the_blocks_of_a_downsample_that_are_counted_are_those_that_it_reads(
    sharded: bool, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_pass, "BLOCK", 1)
    job = make_job("image downsample", layer=url(place, "em"), num_mips=1, sharded=sharded, chunk_size=(8, 8, 8))
    assert isinstance(job, Downsample)
    read: list[Box] = []
    fill = ByChunk.fill

    def note(self: ByChunk, box: Box, mips: Any) -> None:  # Any: arrays
        read.append(box)
        fill(self, box, mips)

    monkeypatch.setattr(ByChunk, "fill", note)
    with trying():
        job.prepare()
        (piece,) = job.pieces()
        counted = list(job._plan().blocks(piece))
        job.run(piece)

    assert counted == read
    assert len(counted) == 8
