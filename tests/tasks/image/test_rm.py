"""`image rm` on real layers: only what was named goes, and only after it was agreed to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import Vec, files_of, make_layer, read_layer, voxels

from teravox.cli.main import main
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.info import encode_info
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import shard_scale
from teravox.pipeline.storage.open import open_store
from teravox.tasks.image.downsample import Downsample
from teravox.tasks.image.rm import Rm

OURS = ("info", "provenance", "ledger/")


def make_pyramid(folder: Path, size: Vec = (40, 40, 9), offset: Vec = (0, 0, 0)) -> str:
    """A layer of three mips, with files in it that are no chunks."""
    path = make_layer(folder, voxels(size, "uint8"), offset=offset)
    job = Downsample(path, num_mips=2)
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
    for name in ("notes.txt", "4_4_40/notes.txt", "8_8_40/stats/0-8_0-8_0-8", "mesh/1:0:0-8_0-8_0-8"):
        file = Path(folder, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("keep me")
    return path


def others(path: str, *keys: str) -> dict[str, bytes]:
    """All files but those that begin so, and those that every job writes."""
    return {name: data for name, data in files_of(path).items() if not name.startswith((*OURS, *keys))}


def chunks(path: str, key: str) -> list[str]:
    return [name for name in files_of(path) if name.startswith(f"{key}/") and name.endswith(".gz")]


def mips(path: str) -> int:
    return len(json.loads(Path(path, "info").read_text())["scales"])


def test_the_highest_mips_go_and_nothing_else(tmp_path: Path) -> None:
    path = make_pyramid(tmp_path, offset=(3, -5, 7))
    kept = {name: data for name, data in others(path).items() if not name.endswith(".gz") or name.startswith("4_4_40/")}
    do(Rm(path, mip=1, num_mips=2))
    assert others(path) == kept
    assert mips(path) == 1
    assert not Path(path, "16_16_40").exists()
    assert len(read_layer(path, 0))
    assert "image rm" in (tmp_path / "provenance").read_text()


def test_all_mips_go_and_the_first_stays_in_the_info(tmp_path: Path) -> None:
    path = make_pyramid(tmp_path)
    info = json.loads((tmp_path / "info").read_text())
    do(Rm(path, mip=0, num_mips=3))
    assert not [name for name in files_of(path) if name.endswith(".gz") and not name.startswith("ledger/")]
    assert json.loads((tmp_path / "info").read_text()) == info | {"scales": info["scales"][:1]}


def test_running_again_harms_nothing(tmp_path: Path) -> None:
    path = make_pyramid(tmp_path)
    job = Rm(path, mip=2)
    pieces = list(job.pieces())
    do(job)
    before = others(path)
    for piece in pieces:
        job.run(piece)
    job.finish()
    assert others(path) == before
    assert mips(path) == 2


def test_a_mip_below_others_stays(tmp_path: Path) -> None:
    path = make_pyramid(tmp_path)
    before = files_of(path)
    for job in (Rm(path, mip=0), Rm(path, mip=1)):
        with pytest.raises(BadUsage, match=r"--num-mips: above mip . .* a layer has no gaps: .* --num-mips"):
            job.prepare()
    assert files_of(path) == before


def offer(path: str, mip: int, *sizes: Vec) -> None:
    """Write a mip's voxels once more in chunks of each of these sizes, which its info then offers, too."""
    layer = Layer.open(path, fresh=True)
    raw, array = layer.raw, layer.read(layer.bounds(mip), mip)
    ours = raw["scales"][mip]["chunk_sizes"]
    for size in sizes:
        raw["scales"][mip]["chunk_sizes"] = [list(size)]
        Layer(layer.store, encode_info(raw)).write(layer.bounds(mip), mip, array)
    raw["scales"][mip]["chunk_sizes"] = [*ours, *map(list, sizes)]
    layer.write_info(raw)


def test_chunks_of_every_size_that_a_mip_offers_go(tmp_path: Path) -> None:
    path = make_pyramid(tmp_path, size=(40, 40, 40), offset=(3, -5, 7))
    offer(path, 2, (5, 3, 7), (16, 8, 16), (64, 64, 64))
    assert len(chunks(path, "16_16_40")) == 2 * 2 * 5 + 2 * 4 * 6 + 2 * 3 + 1
    job = Rm(path, mip=2)
    assert len(job.pieces()) == 4
    do(job)
    assert chunks(path, "16_16_40") == []


def test_bounds_are_made_of_whole_chunks_of_every_size(tmp_path: Path) -> None:
    path = make_pyramid(tmp_path)
    offer(path, 0, (12, 8, 9))
    words = r"cuts through chunks .*, which are of 8,8,8 and 12,8,9 voxels; those that it touches are 0,0,0:24,8,9"
    with pytest.raises(BadUsage, match=words):
        Rm(path, mip=0, bounds=Box((0, 0, 0), (8, 8, 8))).prepare()
    before = set(chunks(path, "4_4_40"))
    job = Rm(path, mip=0, bounds=Box((0, 0, 0), (24, 8, 9)))
    assert "up to 8 chunks, 4_4_40/0-8_0-8_0-8 to 4_4_40/12-24_0-8_0-9." in (job.question() or "")
    do(job)
    gone = {name.removeprefix("4_4_40/").removesuffix(".gz") for name in before - set(chunks(path, "4_4_40"))}
    ours = {f"{x}-{x + 8}_0-8_{z}" for x in (0, 8, 16) for z in ("0-8", "8-9")}
    assert gone == ours | {"0-12_0-8_0-9", "12-24_0-8_0-9"}


def test_shards_of_which_nobody_knows_the_chunks_stay(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((8, 8, 8), "uint8"))
    raw = Layer.open(path).raw
    raw["scales"][0] = shard_scale(raw["scales"][0], voxel_bytes=1, most_bytes=1000, packing="raw")
    raw["scales"][0]["chunk_sizes"] = [[8, 8, 8], [4, 4, 4]]
    Layer.open(path).write_info(raw)
    with pytest.raises(BadInput, match="is sharded and its info has 2 chunk_sizes"):
        Rm(path, mip=0).prepare()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(*[st.integers(1, 30)] * 3),
    offset=st.tuples(*[st.integers(-20, 20)] * 3),
    chunk=st.tuples(*[st.integers(2, 9)] * 3),
    begin=st.tuples(*[st.integers(0, 3)] * 3),
    length=st.tuples(*[st.integers(1, 3)] * 3),
    is_sharded=st.booleans(),
)
def test_exactly_the_chunks_of_a_part_go(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    begin: Vec,
    length: Vec,
    is_sharded: bool,
) -> None:
    array = voxels(size, "uint8") | 1
    path = make_layer(tmp_path_factory.mktemp("layer"), array, chunk=chunk, offset=offset, compress=False)
    if is_sharded:
        raw = Layer.open(path).raw
        raw["scales"][0] = shard_scale(raw["scales"][0], voxel_bytes=1, most_bytes=1000, packing="raw")
        store = open_store(str(tmp_path_factory.mktemp("shards")))
        store.put("info", encode_info(raw))
        layer = Layer.open(store.url)
        layer.write(layer.bounds(0), 0, array)
        path = store.url.removeprefix("file://")
    layer = Layer.open(path)
    whole, unit = layer.bounds(0), layer.unit(0)
    low = [a + min(b, (n - 1) // u) * u for a, b, n, u in zip(offset, begin, size, unit, strict=True)]
    high = [min(a + n * u, end) for a, n, u, end in zip(low, length, unit, whole.max, strict=True)]
    box = Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
    do(Rm(path, mip=0, bounds=box))
    gone = layer.read(whole, 0, fill_missing=True) == 0
    expected = np.zeros(array.shape, np.bool_)
    x, y, z = (slice(a - o, b - o) for a, b, o in zip(box.min, box.max, offset, strict=True))
    expected[x, y, z] = True
    assert np.array_equal(gone, expected)
    assert mips(path) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bounds": Box((0, 0, 0), (12, 8, 8))}, r"cuts through chunks .* 8,8,8 voxels; .* touches are 0,0,0:16,8,8"),
        ({"bounds": Box((0, 0, 0), (48, 8, 8))}, "does not lie within"),
        ({"bounds": Box((0, 0, 0), (8, 8, 8)), "num_mips": 2}, "one mip at a time"),
        ({"num_mips": 4}, "--num-mips: from mip 0 up, .* has 3, and 4 are to be removed"),
    ],
)
def test_nonsense_is_refused_before_anything_is_lost(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    path = make_pyramid(tmp_path)
    before = files_of(path)
    with pytest.raises(BadUsage, match=words):
        Rm(path, mip=0, **options).question()
    with pytest.raises(BadUsage, match=words):
        Rm(path, mip=0, **options).prepare()
    assert files_of(path) == before


def test_a_mip_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no mip 3"):
        Rm(make_pyramid(tmp_path), mip=3).prepare()


def test_a_scale_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    path = make_layer(tmp_path / "layer", voxels((8, 8, 8), "uint8"))
    precious = make_layer(tmp_path / "precious", voxels((8, 8, 8), "uint8"))
    info = json.loads((tmp_path / "layer/info").read_text())
    info["scales"][0]["key"] = "../precious/4_4_40"
    (tmp_path / "layer/info").write_text(json.dumps(info))
    before = files_of(precious)
    with pytest.raises(BadInput, match="is no key within"):
        do(Rm(path, mip=0))
    assert files_of(precious) == before


def test_it_says_what_will_be_lost(tmp_path: Path) -> None:
    path = make_pyramid(tmp_path)
    said = Rm(path, mip=1, num_mips=2).question()
    assert said == (
        f"This removes from file://{path}, for ever: all of mips 1 to 2, up to 26 chunks, "
        "8_8_40/0-8_0-8_0-8 to 16_16_40/8-10_8-10_8-9. Its info will have mip 0 only."
    )
    part = Rm(path, mip=0, bounds=Box((8, 0, 0), (24, 8, 8))).question()
    assert part.endswith("8,0,0:24,8,8 of mip 0, up to 2 chunks, 4_4_40/8-16_0-8_0-8 to 4_4_40/16-24_0-8_0-8.")


def test_nothing_goes_before_it_is_agreed_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_pyramid(tmp_path)
    before = files_of(path)
    assert main(["image", "rm", path, "--mip", "2"]) == 2
    assert "all of mip 2, up to 8 chunks" in capsys.readouterr().err
    assert main(["image", "rm", path, "--mip", "2", "--queue", str(tmp_path / "q")]) == 2
    assert "Nobody is here to be asked: say --yes" in capsys.readouterr().err
    assert main(["image", "rm", path, "--mip", "2", "--dry-run"]) == 0
    assert "asks    This removes from" in capsys.readouterr().out
    assert main(["image", "rm", path]) == 2
    assert "--mip is missing" in capsys.readouterr().err
    assert files_of(path) == before
    assert main(["image", "rm", path, "--mip", "2", "--yes"]) == 0
    assert mips(path) == 2
    assert chunks(path, "16_16_40") == []


def test_a_no_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def refuse(plan: str, *, yes: bool) -> bool:
        asked.append((plan, yes))
        return False

    monkeypatch.setattr("teravox.cli.run_kind.is_agreed", refuse)
    path = make_pyramid(tmp_path)
    before = files_of(path)
    assert main(["image", "rm", path, "--mip", "2"]) == 1
    assert files_of(path) == before
    assert asked == [(Rm(f"file://{path}", mip=2).question(), False)]


def test_only_kinds_that_lose_something_have_the_option_yes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_pyramid(tmp_path)
    assert main(["image", "downsample", path, "--yes"]) == 2
    assert "--yes" in capsys.readouterr().err
