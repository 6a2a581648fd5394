"""HDF5 files that lead to other files: read where those lie beside them, and never elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # it has no types
import numpy as np
import pytest
from layers.make import Array, read_layer, voxels
from sources import write

from teravox.pipeline import allowed
from teravox.pipeline.allowed import allow_only
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.message import encode
from teravox.pipeline.queues.memory import MemoryQueue
from teravox.pipeline.sources.open import open_source
from teravox.pipeline.sources.source import Choice
from teravox.pipeline.worker.settings import WorkerSettings
from teravox.pipeline.worker.supervisor import work
from teravox.tasks.create import Create

SECRET = voxels((9, 8, 7), "uint16")[..., 0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file in it, and another file beside the folder."""
    (tmp_path / "in/below").mkdir(parents=True)
    for place in ("in/b.h5", "in/below/b.h5", "secret.h5"):
        with h5py.File(tmp_path / place, "w") as file:
            file["group/data"] = SECRET
    return tmp_path / "in"


@pytest.fixture(autouse=True)
def _all_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowed, "_places", ())


def read(path: Path, name: str | None = "d") -> Array:
    source = open_source(str(path), Choice(dataset=name))
    try:
        return source.read(tuple(slice(0, n) for n in source.shape))
    finally:
        source.close()


def linked(folder: Path, make: Callable[[Any], object]) -> Path:  # Any: h5py has no types
    with h5py.File(folder / "a.h5", "w") as file:
        make(file)
    return folder / "a.h5"


def virtual(file: h5py.File, *sources: tuple[str, str]) -> None:
    """A data set `d` of whole others, one above the other."""
    layout = h5py.VirtualLayout((9 * len(sources), 8, 7), "u2")
    for at, (place, name) in enumerate(sources):
        layout[9 * at : 9 * at + 9] = h5py.VirtualSource(place, name, (9, 8, 7))
    file.create_virtual_dataset("d", layout)


def external(place: str, name: str = "/group/data") -> Callable[[Any], None]:
    def make(file: Any) -> None:
        file["d"] = h5py.ExternalLink(place, name)

    return make


def test_links_are_followed_to_files_beside_and_below(folder: Path) -> None:
    for place in ("b.h5", "below/b.h5", str(folder / "b.h5")):
        assert np.array_equal(read(linked(folder, external(place))), SECRET)

    def make(file: Any) -> None:
        file["x/y"] = SECRET
        file["soft"] = h5py.SoftLink("/x")
        file["x/d"] = h5py.SoftLink("y")
        file["out"] = h5py.ExternalLink("b.h5", "/")
        file["d"] = h5py.SoftLink("/out/group")

    path = linked(folder, make)
    for name in ("soft/y", "soft/d", "/x//d", "out/group/data", "d/data"):
        assert np.array_equal(read(path, name), SECRET)
    for name in ("none", "x", "soft", "soft/none", "x/y/z", "out/none"):
        with pytest.raises(BadUsage, match=f"--dataset: there is no {name} in "):
            read(path, name)


@pytest.mark.parametrize("place", ["../secret.h5", "{}/secret.h5", "below/../../secret.h5"])
def test_files_elsewhere_are_not_read(folder: Path, place: str) -> None:
    place = place.format(folder.parent)
    words = "it is only looked for in its own folder and below"
    for make in (external(place), lambda file: virtual(file, ("b.h5", "group/data"), (place, "group/data"))):
        path = linked(folder, make)
        assert np.isin(SECRET, h5py.File(path)["d"][:]).all()  # HDF5 itself reads it
        with pytest.raises(BadInput, match=f"at {place}; {words}"):
            read(path)
    linked(folder, external(place)).rename(folder / "c.h5")
    for make in (external("c.h5", "/d"), lambda file: virtual(file, ("c.h5", "d"))):
        with pytest.raises(BadInput, match=rf"c\.h5 says that .* at {place}; {words}"):
            read(linked(folder, make))


def test_a_data_set_of_parts_in_other_files_is_read_as_one(folder: Path) -> None:
    path = linked(folder, lambda file: virtual(file, ("b.h5", "group/data"), ("below/b.h5", "group/data")))
    assert np.array_equal(read(path), np.concatenate([SECRET, SECRET]))
    assert np.array_equal(read(path, None), np.concatenate([SECRET, SECRET]))

    def within(file: Any) -> None:
        file["x"] = h5py.SoftLink("/y")
        file["y"] = SECRET
        virtual(file, (".", "x"))

    assert np.array_equal(read(linked(folder, within)), SECRET)


@pytest.mark.parametrize(
    ("source", "words"), [(("none.h5", "group/data"), "there is no such file"), (("b.h5", "no"), "no such data set")]
)
def test_missing_parts_are_named_and_not_read_as_0(folder: Path, source: tuple[str, str], words: str) -> None:
    path = linked(folder, lambda file: virtual(file, ("below/b.h5", "group/data"), source))
    assert not h5py.File(path)["d"][9:].any()  # as HDF5 itself does
    with pytest.raises(BadInput, match=words):
        read(path)


def test_parts_that_vanish_are_named(folder: Path) -> None:
    path = linked(folder, lambda file: virtual(file, ("b.h5", "group/data")))
    read(path)
    (folder / "b.h5").unlink()
    with pytest.raises(BadInput, match="there is no such file"):
        read(path)


def test_voxels_outside_of_hdf5_files_are_not_read(folder: Path) -> None:
    (folder.parent / "raw").write_bytes(SECRET.tobytes())

    def make(file: Any) -> None:
        file.create_dataset("d", (9, 8, 7), "u2", external=[(str(folder.parent / "raw"), 0, SECRET.nbytes)])

    for name in ("d", None):
        with pytest.raises(BadInput, match=r"files of another format, .*h5repack"):
            read(linked(folder, make), name)


def test_links_in_a_circle_are_named(folder: Path) -> None:
    def make(file: Any) -> None:
        file["d"] = h5py.SoftLink("/e")
        file["e"] = h5py.ExternalLink("a.h5", "/d")

    with pytest.raises(BadInput, match="lead in a circle"):
        read(linked(folder, make))


def test_a_worker_reads_no_file_that_it_is_not_allowed(folder: Path, tmp_path: Path) -> None:
    linked(folder, lambda file: virtual(file, ("b.h5", "group/data")))
    os.rename(write.nhdr(folder, SECRET), folder / "n.nhdr")  # noqa: PTH104 - plain
    for name in ("a.h5", "n.nhdr"):
        job = Create(f"file://{folder}/{name}", f"file://{tmp_path}/dest-{name}", resolution=(4, 4, 4))
        job.prepare()
        for place, done in ((folder / name, 0), (folder, 1)):
            queue = MemoryQueue(encode("create", job, job.pieces()))
            allow = (str(place), job.dest)
            outcome = work(queue, WorkerSettings(exit_on_empty=True, tries=1, allow=allow, quiet=True))
            assert (outcome.done, outcome.failed) == (done, 1 - done)
            texts = [letter.failures[-1].text for letter in queue.dead()]
            assert all(f"{name} says that" in text and "outside what --allow names" in text for text in texts)
        assert read_layer(f"{tmp_path}/dest-{name}", 0).any()


def test_all_is_allowed_until_a_place_is_named() -> None:
    assert allowed.is_allowed("/anywhere")
    allow_only(("/data/", "s3://bucket/em"))
    assert all(map(allowed.is_allowed, ("/data", "file:///data/x", "s3://bucket/em/", "s3://bucket/em/x")))
    assert not any(map(allowed.is_allowed, ("/", "/database", "s3://bucket", "s3://bucket/em2", "/data/../x")))
