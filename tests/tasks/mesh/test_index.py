"""`mesh index`: CloudVolume finds the labels of any box by the files and in the database."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest
from layers.make import Vec, files_of, make_layer
from servers.daemon import or_skip
from servers.postgres import postgres

from teravox.cli.main import main
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage, Fatal
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.index_database import open_database
from teravox.tasks.mesh.forge import Forge
from teravox.tasks.mesh.index.create import Create

LABELS = {3: ((2, 2, 2), (5, 6, 7)), 2**64 - 2: ((20, 20, 20), (26, 30, 31)), 77: ((0, 20, 0), (40, 24, 5))}


def forged(tmp_path: Path, offset: Vec, resolution: tuple[float, float, float], bounds: Box | None = None) -> str:
    array = np.zeros((40, 36, 33, 1), np.uint64, order="F")
    for label, (low, high) in LABELS.items():
        array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = label
    path = make_layer(tmp_path / "seg", array, offset=offset, resolution=resolution, type="segmentation")
    raw = Layer.open(path).raw
    Layer.open(path).write_info(raw | {"mesh": "mesh"})
    (tmp_path / "seg/mesh").mkdir()
    (tmp_path / "seg/mesh/info").write_text('{"@type":"neuroglancer_legacy_mesh"}')
    job = Forge(path, shape=(16, 16, 16), bounds=bounds)
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
    job.finish()
    return path


@pytest.mark.parametrize("offset", [(0, 0, 0), (8, 4, 12)])  # CloudVolume cuts off fractions of nanometres
@pytest.mark.parametrize("resolution", [(16, 16, 40), (4.5, 4.25, 30)])
def test_cloudvolume_finds_labels_by_their_place(
    tmp_path: Path, offset: Vec, resolution: tuple[float, float, float]
) -> None:
    from cloudvolume import Bbox, CloudVolume

    path = forged(tmp_path, offset, resolution)
    job = Create(path)
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
        assert job.memory(piece) > 0
    assert "spatial" not in (tmp_path / "seg/mesh/info").read_text()
    job.finish()
    once = files_of(path)
    job.run(job.pieces()[0])
    assert files_of(path) == once
    index = CloudVolume(f"file://{path}").mesh.spatial_index
    assert index.query(index.physical_bounds) == set(LABELS)
    for label, (low, high) in LABELS.items():
        corners = [[(n + o) * nm for n, o, nm in zip(v, offset, resolution, strict=True)] for v in (low, high)]
        found = index.query(Bbox(*corners, dtype=float))
        assert label in found
        assert found == {
            other
            for other, (a, b) in LABELS.items()
            if all(x < t and s < y for x, y, s, t in zip(a, b, low, high, strict=True))
        }


def test_a_database_has_each_label_with_its_box(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = forged(tmp_path, (-7, 3, 11), (16, 16, 40))
    for _ in range(2):  # it replaces what was there
        assert main(["mesh", "index", "db", path, f"sqlite:///{tmp_path}/index.db"]) == 0
    assert "rows of labels in 27 pieces written." in capsys.readouterr().out
    connection = sqlite3.connect(tmp_path / "index.db")
    rows = connection.execute(
        "SELECT label, min(min_x), min(min_y), min(min_z), max(max_x), max(max_y), max(max_z) FROM file_lookup "
        "JOIN index_files ON fid = id GROUP BY label"
    ).fetchall()
    connection.close()
    found = {row[0] % 2**64: row[1:] for row in rows}
    for label, (low, high) in LABELS.items():
        corners = [(n + o) * nm for v in (low, high) for n, o, nm in zip(v, (-7, 3, 11), (16, 16, 40), strict=True)]
        assert found[label] == tuple(corners)
    assert set(found) == set(LABELS)


def test_postgresql_has_what_sqlite_has(tmp_path: Path) -> None:
    import psycopg

    path = forged(tmp_path, (-7, 3, 11), (16, 16, 40))
    assert main(["mesh", "index", "db", path, f"sqlite:///{tmp_path}/index.db"]) == 0
    with or_skip(), postgres(tmp_path) as url:
        for _ in range(2):  # it replaces what was there
            assert main(["mesh", "index", "db", path, url]) == 0
        for table in ("index_files", "file_lookup"):
            with psycopg.connect(url) as theirs, contextlib.closing(sqlite3.connect(tmp_path / "index.db")) as ours:
                every = f"SELECT * FROM {table}"
                assert sorted(theirs.execute(every).fetchall()) == sorted(ours.execute(every).fetchall()) != []
        with pytest.raises(Fatal, match='database "postgres-other" does not exist'), open_database(f"{url}-other"):
            pass


def test_what_cannot_be_indexed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = forged(tmp_path, (0, 0, 0), (16, 16, 40), Box((0, 0, 0), (20, 20, 20)))
    with pytest.raises(BadUsage, match="a spatial index is of all of it"):
        Create(path).prepare()
    with pytest.raises(BadInput, match="there are no fragments"):
        Create(path, dir="other").prepare()
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for url, why in (
        ("postgresql://host/db", "pip install 'psycopg"),
        ("mysql://host/db", "expected sqlite:///FILE"),
        ("sqlite:///", "names no file"),
    ):
        with pytest.raises(BadUsage, match=why), open_database(url):
            pass
