"""`clean` and `rm` of both sorts: of any folder only what belongs goes, and nothing while a job still needs it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import files_of
from skeletons.skeletal_layers import make_empty, make_skeletal

from teravox.cli.main import main
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.job import AnyJob
from teravox.pipeline.ledger import Ledger
from teravox.pipeline.message import job_id
from teravox.pipeline.objects.sort import MESH, SKELETON, SORTS, Sort
from teravox.pipeline.storage.open import open_store
from teravox.tasks.mesh.clean import Clean as MeshClean
from teravox.tasks.mesh.forge import Forge as MeshForge
from teravox.tasks.mesh.rm import Rm as MeshRm
from teravox.tasks.skeleton.clean import Clean
from teravox.tasks.skeleton.rm import Rm
from teravox.tasks.skeleton.transfer import Transfer

CLEANS: dict[Sort, Callable[..., AnyJob]] = {MESH: MeshClean, SKELETON: Clean}
REMOVALS: dict[Sort, Callable[..., AnyJob]] = {MESH: MeshRm, SKELETON: Rm}
OLD, NEW = "0123456789abcdef", "fedcba9876543210"
OURS = ("info", "provenance", "ledger/")


def put(folder: Path, *names: str, text: str = "something") -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def marked(job: str = "0a1b2c3d") -> str:
    return json.dumps({"@type": "neuroglancer_skeletons", "vertex_attributes": [], "teravox": {"job": job}})


def name_in_info(folder: Path, **words: str) -> None:
    info = json.loads((folder / "info").read_text())
    (folder / "info").write_text(json.dumps(info | words))


def make(folder: Path) -> str:
    """A layer with skeletons, with two forges, skeletons of an earlier merge, and things of others."""
    path = make_skeletal(folder, "sharded", name="skeleton").path
    put(folder, f"skeleton.fragments/{OLD}/0-8_0-8_0-8.frags", f"skeleton.fragments/{NEW}/-8-0_0-8_0-8.frags")
    put(folder, "skeleton.fragments/forged.json", text=json.dumps({"id": NEW}))
    put(folder, "skeleton_0a1b2c3d/info", text=marked())
    put(folder, "skeleton_0a1b2c3d/7", "skeleton_0a1b2c3d/f.shard", "skeleton.transfer/labels")
    put(folder, "skeleton_11111111/info", text='{"@type": "neuroglancer_skeletons"}')
    put(folder, "skeleton_11111111/1", "skeleton_old/1", "skeletons/2", "mesh.fragments/0123456789abcdef/1.frags")
    return path


def names(path: str) -> set[str]:
    return {name for name in files_of(path) if not name.startswith(OURS)}


def test_fragments_and_earlier_skeletons_go(tmp_path: Path) -> None:
    path = make(tmp_path)
    before = names(path)
    assert main(["skeleton", "clean", path, "--yes", "--quiet"]) == 0
    gone = ("skeleton.fragments/", "skeleton_0a1b2c3d/", "skeleton.transfer/")
    assert names(path) == {name for name in before if not name.startswith(gone)}


def test_the_last_fragments_can_be_kept(tmp_path: Path) -> None:
    path = make(tmp_path)
    before = names(path)
    do(Clean(path, keep_fragments=True))
    gone = (f"skeleton.fragments/{OLD}/", "skeleton_0a1b2c3d/", "skeleton.transfer/")
    assert names(path) == {name for name in before if not name.startswith(gone)}


def test_it_says_what_goes_and_asks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make(tmp_path)
    before = files_of(path)
    assert main(["skeleton", "clean", path]) == 2
    said = capsys.readouterr().err
    assert f"fragments in skeleton.fragments/{OLD} (1 file, 9 bytes)" in said
    assert "skeletons in skeleton_0a1b2c3d (3 files, " in said
    assert "then takes a new skeleton forge; --keep-fragments keeps them" in said
    assert files_of(path) == before


def test_skeletons_stay_where_meshes_are_cleaned_under_their_name(tmp_path: Path) -> None:
    path = make_empty(tmp_path)
    put(tmp_path, "skeleton_0a1b2c3d/info", text=marked())
    put(tmp_path, "skeleton_0a1b2c3d/7")
    name_in_info(tmp_path, skeletons="skeleton_0a1b2c3d")
    before = names(path)
    do(MeshClean(path, dir="skeleton"))
    assert names(path) == before


word = st.sampled_from(
    ["mesh", "skeleton", "mesh_0a1b2c3d", "skeleton_0a1b2c3d", "skeleton_99999999", "meshes", "skeleton_0a1b", "other"]
)
ending = st.sampled_from(["", "", "", ".fragments", f".fragments/{OLD}", f".fragments/{NEW}", ".transfer", ".fragment"])
leaf = st.sampled_from(["1", "f.shard", "7.index", "-8-0_0-8_0-8.frags", "labels", "Z", "deep/x", "ä", "info2"])
files = st.sets(st.builds("{}{}/{}".format, word, ending, leaf), max_size=14)
infos = st.dictionaries(word, st.booleans(), max_size=5)
named = st.fixed_dictionaries({}, optional={sort.word: word for sort in SORTS})


def stays(name: str, sort: Sort, base: str, infos: dict[str, bool], named: dict[str, str], *, keep: bool) -> bool:
    """Whether a file is none of those that clean promises to remove."""
    folder = re.escape(base) + r"(_[0-9a-f]{8})?"
    if found := re.match(rf"{folder}\.fragments/([0-9a-f]{{16}})/", name):
        return keep and name.startswith(f"{base}.fragments/") and found[2] == NEW
    if re.match(rf"{folder}\.transfer/", name):
        return False
    if name == f"{base}.fragments/forged.json":
        return keep
    found = re.match(rf"({folder})/", name)
    return found is None or found[1] in named.values() or not infos.get(found[1], False)


@settings(max_examples=25, deadline=None)
@given(files, infos, named, st.sampled_from(SORTS), st.booleans(), st.randoms(use_true_random=False))
def test_of_any_folders_only_what_belongs_is_cleaned(
    tmp_path_factory: pytest.TempPathFactory,
    files: set[str],
    infos: dict[str, bool],
    named: dict[str, str],
    sort: Sort,
    keep: bool,
    order: random.Random,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = make_empty(folder)
    put(folder, *files)
    for one, is_ours in infos.items():
        put(folder, f"{one}/info", text=marked() if is_ours else "{}")
    put(folder, f"{sort.one}.fragments/forged.json", text=json.dumps({"id": NEW}))
    put(folder, f"{sort.one}.fragments/{NEW}/1-2_1-2_1-2.frags")
    name_in_info(folder, **named)
    before = {name: data for name, data in files_of(path).items() if not name.startswith(OURS)}
    job = CLEANS[sort](path, dir=sort.one, keep_fragments=keep)
    if any(named.get(other.word) == sort.one for other in SORTS if other != sort):
        with pytest.raises(BadUsage, match="cannot hold"):
            do(job)
        kept = before
    else:
        do(job, lambda pieces: order.sample(pieces, len(pieces)))
        kept = {name: data for name, data in before.items() if stays(name, sort, sort.one, infos, named, keep=keep)}
    assert {name: data for name, data in files_of(path).items() if not name.startswith(OURS)} == kept


@settings(max_examples=15, deadline=None)
@given(files, st.sampled_from(SORTS), word, st.randoms(use_true_random=False))
def test_of_any_folders_only_the_named_one_is_removed(
    tmp_path_factory: pytest.TempPathFactory, files: set[str], sort: Sort, folder: str, order: random.Random
) -> None:
    root = tmp_path_factory.mktemp("any")
    path = make_empty(root)
    put(root, *files)
    kind = "neuroglancer_skeletons" if sort == SKELETON else "neuroglancer_legacy_mesh"
    put(root, f"{folder}/info", text=json.dumps({"@type": kind}))
    name_in_info(root, **{sort.word: folder})
    before = {name: data for name, data in files_of(path).items() if not name.startswith(OURS)}
    do(REMOVALS[sort](path), lambda pieces: order.sample([*pieces, *pieces], 2 * len(pieces)))
    after = {name: data for name, data in files_of(path).items() if not name.startswith(OURS)}
    assert after == {name: data for name, data in before.items() if not name.startswith(f"{folder}/")}


def ledger_of(path: str, kind: str, job: AnyJob, home: str | None = None) -> Ledger:
    """A ledger that knows a job as begun."""
    ledger = Ledger(open_store(home or path), job_id(kind, job))
    ledger.open(kind, job, 3, f"teravox {kind} …")
    return ledger


@pytest.mark.parametrize(
    ("kind", "place", "dir"),
    [("skeleton transfer", "", None), ("skeleton merge", "/skeleton_0a1b2c3d", "skeleton_0a1b2c3d")],
)
def test_nothing_is_cleaned_while_a_job_needs_it(tmp_path: Path, kind: str, place: str, dir: str | None) -> None:
    path = make(tmp_path)
    ledger = ledger_of(path, kind, Transfer("/elsewhere", path, dir=dir), f"{path}{place}")
    before = names(path)
    with pytest.raises(
        BadUsage, match=rf"not finished with what would be removed, .*: {kind} .* or give it up by saying --"
    ):
        Clean(path).question()
    with pytest.raises(BadUsage, match="with the same command and --resume"):
        Clean(path).prepare()
    assert names(path) == before
    ledger.mark_finished()
    do(Clean(path))
    assert not (tmp_path / "skeleton_0a1b2c3d").exists()


def test_a_job_can_be_given_up(tmp_path: Path) -> None:
    path = make(tmp_path)
    ledger = ledger_of(path, "skeleton transfer", Transfer("/elsewhere", path))
    do(Clean(path, abandon=True))
    assert not (tmp_path / "skeleton_0a1b2c3d").exists()
    assert ledger.job() is None
    do(Clean(path))


def test_jobs_about_something_else_are_in_nobodys_way(tmp_path: Path) -> None:
    path = make(tmp_path)
    ledger_of(path, "mesh forge", MeshForge(path))
    ledger_of(path, "skeleton transfer", Transfer("/elsewhere", path, dir="other"))
    do(Clean(path))
    assert not (tmp_path / "skeleton_0a1b2c3d").exists()
    with pytest.raises(BadUsage, match="mesh forge"):
        MeshClean(path).prepare()


@pytest.mark.parametrize("dir", ["../seg", "4_4_40", "ledger"])
def test_what_is_no_folder_of_skeletons_is_refused(tmp_path: Path, dir: str) -> None:
    path = make(tmp_path / "seg")
    before = files_of(path)
    with pytest.raises((BadUsage, BadInput), match=r"cannot hold skeletons|is no key within"):
        Clean(path, dir=dir).prepare()
    assert files_of(path) == before


def test_a_damaged_note_is_named(tmp_path: Path) -> None:
    path = make(tmp_path)
    job = Clean(path)
    job.prepare()
    piece: Any = job.pieces()[0]
    (tmp_path / "skeleton.clean.json").write_text("[{")
    with pytest.raises(BadInput, match=r"skeleton.clean.json cannot be read: .* Give the command again"):
        job.run(piece)
