"""`skeleton transfer` and `shard skeleton`: what comes out is what went in, as CloudVolume reads it too."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import files_of
from skeletons.skeletal_layers import ATTRIBUTES, BIG, FORMS, Lines, lines, make_empty, make_skeletal

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.copying.plan import LEAST
from teravox.pipeline.skeletons.skeleton import Skeleton
from teravox.pipeline.skeletons.skeleton_source import SkeletonSource
from teravox.tasks.skeleton.transfer import Transfer

LABELS = [7, 12, 300, BIG]


def skeletons_of(path: str) -> dict[int, Skeleton]:
    return dict(SkeletonSource.open(Layer.open(path, fresh=True)).each())


def assert_copied(path: str, skeletons: dict[int, Lines]) -> None:
    copied = skeletons_of(path)
    assert sorted(copied) == sorted(skeletons)
    for label, one in copied.items():
        theirs = skeletons[label]
        assert np.array_equal(one.vertices, theirs.vertices)
        assert np.array_equal(one.edges, theirs.edges)
        for name, values in theirs.attributes.items():
            assert np.array_equal(one.attributes[name], values)


@pytest.mark.parametrize("dest", FORMS)
@pytest.mark.parametrize("source", FORMS)
def test_every_form_becomes_every_form(tmp_path: Path, source: str, dest: Any) -> None:
    from cloudvolume import CloudVolume

    made = make_skeletal(tmp_path / "seg", source)
    before = files_of(made.path)
    job = Transfer(made.path, make_empty(tmp_path / "dest"), format=dest)
    do(job)
    assert files_of(made.path) == before
    assert SkeletonSource.open(Layer.open(job.dest, fresh=True)).form == dest
    assert_copied(job.dest, made.skeletons)
    theirs = CloudVolume(f"file://{job.dest}", progress=False).skeleton.get(BIG)
    assert np.array_equal(theirs.vertices, made.skeletons[BIG].vertices)
    for name, values in made.skeletons[BIG].attributes.items():
        assert np.array_equal(getattr(theirs, name), values)
    assert not list(Path(job.dest).glob("*.transfer*"))
    assert "skeleton transfer" in Path(job.dest, "provenance").read_text()


def test_shards_are_copied_byte_by_byte(tmp_path: Path) -> None:
    made = make_skeletal(tmp_path / "seg", "sharded")
    job = Transfer(made.path, make_empty(tmp_path / "dest"))
    do(job)
    shards = list((tmp_path / "seg/skeletons").glob("*.shard"))
    assert shards
    for shard in shards:
        assert (tmp_path / "dest/skeletons" / shard.name).read_bytes() == shard.read_bytes()


def test_objects_are_copied_as_they_are_compressed(tmp_path: Path) -> None:
    made = make_skeletal(tmp_path / "seg", "legacy")
    plain = gzip.decompress((tmp_path / "seg/skeletons/7.gz").read_bytes())
    (tmp_path / "seg/skeletons/7.gz").unlink()
    (tmp_path / "seg/skeletons/7").write_bytes(plain)
    job = Transfer(made.path, make_empty(tmp_path / "dest"))
    do(job)
    assert (tmp_path / "dest/skeletons/7").read_bytes() == plain
    name = f"{BIG}.gz"
    assert (tmp_path / "dest/skeletons" / name).read_bytes() == (tmp_path / "seg/skeletons" / name).read_bytes()


def test_a_damaged_or_lost_skeleton_is_named(tmp_path: Path) -> None:
    made = make_skeletal(tmp_path / "seg", "legacy")
    job = Transfer(made.path, make_empty(tmp_path / "dest"), format="sharded")
    job.prepare()
    (tmp_path / "seg/skeletons/7.gz").write_bytes(b"\x1f\x8b nothing")
    (piece,) = job.pieces()
    with pytest.raises(BadInput, match=r"the skeleton of label 7 in .*/seg/skeletons cannot be read"):
        job.run(piece)
    (tmp_path / "seg/skeletons/7.gz").unlink()
    with pytest.raises(BadInput, match=r"label 7 has no skeleton in .*/seg/skeletons"):
        job.run(piece)


label = st.one_of(st.integers(1, 99), st.integers(2**63, 2**64 - 1), st.integers(1, 2**64 - 1))


@settings(max_examples=6, deadline=None)
@given(st.sets(label, max_size=40), st.sampled_from(FORMS), st.randoms(use_true_random=False))
def test_any_labels_survive_the_way_there_and_back(
    tmp_path_factory: pytest.TempPathFactory, labels: set[int], form: str, order: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("any")
    made = make_skeletal(folder / "seg", form, skeletons={one: lines([(1, 2, 3)], [], one % 997) for one in labels})
    other = "legacy" if form == "sharded" else "sharded"
    for source, dest, to in ((made.path, folder / "there", other), (str(folder / "there"), folder / "back", form)):
        do(Transfer(source, str(dest), format=to), lambda pieces: order.sample([*pieces, *pieces], 2 * len(pieces)))  # type: ignore[arg-type]  # any form
    assert_copied(str(folder / "back"), made.skeletons)


RUN = """
import sys
from pathlib import Path
import numpy, teravox.pipeline.skeletons.copying, teravox.pipeline.objects.copying.copy
from teravox.tasks.skeleton.transfer import Transfer

def peak():
    status = Path("/proc/self/status").read_text()  # ru_maxrss would tell of the parent, too
    return int(status.split("VmHWM:")[1].split()[0]) * 1024

before = peak()
said = 0
*places, memory = sys.argv[1:]
for source, dest, form in zip(places, places[1:], ("sharded", "sharded", "legacy")):
    job = Transfer(source, dest, format=form, memory_limit=int(memory))
    job.prepare()
    for piece in job.pieces():
        said = max(said, job.memory(piece))
        job.run(piece)
    job.finish()
print(peak() - before, said)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_a_task_takes_no_more_than_it_said(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    count = 700_000  # vertices: with their edges a sixth of the room
    some = random.random((2000, 3)).astype("f4")  # which gzip packs well
    large = Lines(np.resize(some, (count, 3)), np.zeros((count - 1, 2), "u4"), {"radius": np.zeros(count, "f4")})
    radius = ATTRIBUTES[:1]
    source = make_skeletal(tmp_path / "seg", "legacy", skeletons=dict.fromkeys(range(1, 7), large), attributes=radius)
    copies = [str(tmp_path / name) for name in ("sharded", "again", "legacy")]
    words = [sys.executable, "-c", RUN, source.path, *copies, str(LIBRARIES + LEAST)]
    took, said = map(int, subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())
    assert sorted(skeletons_of(copies[-1])) == [1, 2, 3, 4, 5, 6]
    assert said <= LIBRARIES + LEAST
    assert took <= LEAST, took


def test_what_does_not_fit_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    made = make_skeletal(tmp_path / "seg", "legacy")
    count = 40_000_000
    bomb = gzip.compress(count.to_bytes(4, "little") + bytes(4 + 12 * 4_000_000))
    (tmp_path / "seg/skeletons/7.gz").write_bytes(bomb)
    job = Transfer(made.path, make_empty(tmp_path / "dest"), format="sharded", memory_limit=LIBRARIES + LEAST)
    job.prepare()
    (piece,) = job.pieces()
    with pytest.raises(BadInput, match=r"the skeleton of label 7 in .* cannot be read: .*25,?000,?000"):
        job.run(piece)
