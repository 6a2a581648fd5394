"""`skeleton index`: CloudVolume finds the labels of any box by the files and in the database."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from layers.copies import do
from layers.make import Vec, files_of, make_layer

from teravox.cli.main import main
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.tasks.skeleton.forge import Forge
from teravox.tasks.skeleton.index.create import Create

LABELS = {3: ((2, 2, 2), (5, 6, 30)), 2**64 - 2: ((20, 20, 20), (26, 30, 31)), 77: ((0, 20, 0), (40, 24, 5))}
RESOLUTION = (16, 16, 40)


def forged(tmp_path: Path, offset: Vec) -> str:
    """A layer with fragments of skeletons, and an info that names the folder where skeletons will be."""
    array = np.zeros((40, 36, 33, 1), np.uint64, order="F")
    for label, (low, high) in LABELS.items():
        array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = label
    path = make_layer(tmp_path / "seg", array, offset=offset, resolution=RESOLUTION, type="segmentation")
    Layer.open(path).write_info(Layer.open(path).raw | {"skeletons": "skeleton"})
    (tmp_path / "seg/skeleton").mkdir()
    info = {"@type": "neuroglancer_skeletons", "vertex_attributes": [], "teravox": {"job": "1"}}
    (tmp_path / "seg/skeleton/info").write_text(json.dumps(info))
    do(Forge(path, shape=(16, 16, 16), dust_threshold=0))
    return path


@pytest.mark.parametrize("offset", [(0, 0, 0), (8, 4, 12)])
def test_cloudvolume_finds_labels_by_their_place(tmp_path: Path, offset: Vec) -> None:
    from cloudvolume import Bbox, CloudVolume

    path = forged(tmp_path, offset)
    job = Create(path)
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
        assert job.memory(piece) > 0
    assert "spatial" not in (tmp_path / "seg/skeleton/info").read_text()
    job.finish()
    once = files_of(path)
    job.run(job.pieces()[0])
    assert files_of(path) == once
    assert '"teravox"' in (tmp_path / "seg/skeleton/info").read_text()
    index = CloudVolume(f"file://{path}", progress=False).skeleton.spatial_index
    assert index.query(index.physical_bounds) == set(LABELS)
    for label, (low, high) in LABELS.items():
        corners = [[(n + o) * nm for n, o, nm in zip(v, offset, RESOLUTION, strict=True)] for v in (low, high)]
        assert index.query(Bbox(*corners, dtype=float)) == {label}


def test_a_database_has_each_label_with_its_box(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = forged(tmp_path, (-7, 3, 11))
    for _ in range(2):  # it replaces what was there
        assert main(["skeleton", "index", "db", path, f"sqlite:///{tmp_path}/index.db"]) == 0
    assert "rows of labels in 27 pieces written." in capsys.readouterr().out
    connection = sqlite3.connect(tmp_path / "index.db")
    rows = connection.execute(
        "SELECT label, min(min_x), min(min_y), min(min_z), max(max_x), max(max_y), max(max_z) FROM file_lookup GROUP BY label"
    ).fetchall()
    connection.close()
    found = {row[0] % 2**64: row[1:] for row in rows}
    assert set(found) == set(LABELS)
    for label, (low, high) in LABELS.items():
        first = [(n + o + 0.5) * nm for n, o, nm in zip(low, (-7, 3, 11), RESOLUTION, strict=True)]
        last = [(n + o - 0.5) * nm for n, o, nm in zip(high, (-7, 3, 11), RESOLUTION, strict=True)]
        box = found[label]
        assert all(a <= b for a, b in zip(first, box[:3], strict=True))
        assert all(a >= b for a, b in zip(last, box[3:], strict=True))
        longest = int(np.argmax([(b - a) * nm for a, b, nm in zip(low, high, RESOLUTION, strict=True)]))
        assert box[3 + longest] - box[longest] > 0.7 * (last[longest] - first[longest])


def test_without_fragments_it_says_what_to_run(tmp_path: Path) -> None:
    path = forged(tmp_path, (0, 0, 0))
    with pytest.raises(BadInput, match=r"there are no fragments in .*: make them with teravox skeleton forge"):
        Create(path, dir="other").prepare()
