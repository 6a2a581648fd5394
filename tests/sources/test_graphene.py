"""Bodies of a Graphene volume, at a moment, held to what CloudVolume reads of the same server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer
from servers.chunked_graph import LAYERS, TOKEN, ChunkedGraph, Labels, chunked_graph
from sources.making import create

from teravox.cli.main import main
from teravox.pipeline.allowed import allow_only
from teravox.pipeline.errors import BadUsage, Fatal, Transient
from teravox.pipeline.layers.layer import Layer

SIZE = (45, 33, 20)
MERGED = 1_700_000_000  # when somebody joined bodies 1 and 2
BEFORE, AFTER = "2023-11-14T22:13:19Z", "2023-11-14T23:13:21+01:00"


def supervoxels() -> Labels:
    """Some hundred of them, with background between, numbered as the first layer of a graph is."""
    numbers = np.random.default_rng(4).integers(0, 200, tuple(-(-n // 3) for n in SIZE))
    grown = np.kron(numbers, np.ones((3, 3, 3), np.int64))[: SIZE[0], : SIZE[1], : SIZE[2]]
    return np.where(grown > 0, (1 << 56) + grown, 0).astype(np.uint64)


def bodies(labels: Labels, moment: int) -> Labels:
    """Every body has ten supervoxels."""
    found = (labels & np.uint64(0xFF)) // np.uint64(10) + np.uint64(1)
    if moment >= MERGED:
        found[found == 2] = 1
    return np.asarray(found + np.uint64(LAYERS << 56), np.uint64)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ChunkedGraph]:
    from cloudvolume import secrets

    path = make_layer(tmp_path / "watershed", supervoxels()[..., None], chunk=(16, 16, 8), type="segmentation")
    layer = Layer.open(path)
    with chunked_graph(layer.raw, layer.url, bodies) as server:
        monkeypatch.setitem(secrets.CAVE_CREDENTIALS_CACHE, server.place, {"token": TOKEN})
        yield server


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
def test_bodies_are_those_of_the_moment(server: ChunkedGraph, tmp_path: Path, moment: str) -> None:
    from cloudvolume import CloudVolume

    create(server.url, tmp_path / "seg", timestamp=moment, resolution=None, shape=(16, 16, 8))
    layer = Layer.open(str(tmp_path / "seg"))
    found = layer.read(layer.bounds(0), 0)
    second = MERGED + (1 if moment == AFTER else -1)
    theirs = CloudVolume(server.url, agglomerate=True, timestamp=second, progress=False)[:]
    assert set(server.moments) == {second}
    assert (found == theirs).all()
    assert len(np.unique(found)) == (20 if moment == AFTER else 21)
    assert ((found == 0) == (supervoxels()[..., None] == 0)).all()
    assert layer.scale(0).resolution == Layer.open(server.info["data_dir"]).scale(0).resolution


def test_supervoxels_are_what_lies_there(server: ChunkedGraph, tmp_path: Path) -> None:
    create(server.url, tmp_path / "seg", timestamp="supervoxels", resolution=None)
    layer = Layer.open(str(tmp_path / "seg"))
    assert (layer.read(layer.bounds(0), 0)[..., 0] == supervoxels()).all()
    assert server.moments == []


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        (None, "change as people proofread them"),
        ("yesterday", "expected a time like"),
        ("2023-11-14T22:13:19", "of no time zone"),
        ("2999-01-01T00:00Z", "still to come"),
        ("2023-11-14T22:13:19.5Z", "finer than a second"),
    ],
)
def test_a_moment_must_be_one_that_stays(
    server: ChunkedGraph, tmp_path: Path, moment: str | None, sentence: str
) -> None:
    with pytest.raises(BadUsage, match=sentence):
        create(server.url, tmp_path / "seg", timestamp=moment)
    assert not (tmp_path / "seg").exists()


def test_a_token_that_is_wrong_is_not_repeated(
    server: ChunkedGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cloudvolume import secrets

    monkeypatch.setitem(secrets.CAVE_CREDENTIALS_CACHE, server.place, {"token": "feedbeef"})
    with pytest.raises(Fatal, match="does not let you in") as refused:
        create(server.url, tmp_path / "seg", timestamp=BEFORE)
    assert "feedbeef" not in str(refused.value)


def test_no_token_and_no_server_and_no_volume_are_sentences(
    server: ChunkedGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cloudvolume import secrets

    with pytest.raises(BadUsage, match="knows no volume of this name"):
        create(server.url.replace("fly", "bee"), tmp_path / "seg", timestamp=BEFORE)
    with pytest.raises(BadUsage, match="names no Graphene volume"):
        create(f"graphene://http://{server.place}/fly", tmp_path / "seg", timestamp=BEFORE)
    monkeypatch.setitem(secrets.CAVE_CREDENTIALS_CACHE, server.place, {})
    with pytest.raises(Fatal, match="needs a token"):
        create(server.url, tmp_path / "seg", timestamp=BEFORE)
    monkeypatch.setitem(secrets.CAVE_CREDENTIALS_CACHE, "127.0.0.1:9", {"token": TOKEN})
    with pytest.raises(Transient, match="cannot be reached"):
        create("graphene://http://127.0.0.1:9/segmentation/table/fly", tmp_path / "seg", timestamp=BEFORE)


def test_supervoxels_are_read_only_where_the_worker_may(server: ChunkedGraph, tmp_path: Path) -> None:
    allow_only((server.url, str(tmp_path / "seg")))
    try:
        with pytest.raises(BadUsage, match="outside what --allow names"):
            create(server.url, tmp_path / "seg", timestamp=BEFORE)
    finally:
        allow_only(())


def test_other_kinds_say_how_to_get_a_layer_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = "graphene://https://example.org/segmentation/table/fly"
    assert main(["mesh", "forge", url]) == 2
    assert f"teravox create {url} DEST --timestamp TIME" in capsys.readouterr().err


def test_other_sources_have_no_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "a.npy", np.zeros((4, 4, 4), np.uint8))
    words = [str(tmp_path / "a.npy"), str(tmp_path / "a"), "--resolution", "1,1,1", "--timestamp", BEFORE]
    assert main(["create", *words]) == 2
    assert "--timestamp: means nothing for a .npy file" in capsys.readouterr().err
