from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.make import make_layer
from quality.volumes import cells
from verification.recorded import do_recorded

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.sharding.morton import Morton
from teravox.pipeline.quality.stored import survey_mip

VOXELS = cells(64, 20).astype("uint32")[:, :56, :40]  # 4 x 4 x 3 chunks of 16
HOLES = ["0-16_16-32_32-40", "16-32_16-32_32-40", "48-64_48-56_0-16"]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return make_layer(tmp_path / "seg", VOXELS, chunk=(16, 16, 16), type="segmentation")


def test_holes_are_seen_through_each_axis(path: str) -> None:
    for hole in HOLES:
        Path(path, "4_4_40", f"{hole}.gz").unlink()
    stored, shares = survey_mip(Layer.open(path), 0, 100)
    assert (stored.expected, stored.there, stored.objects, stored.strange) == (48, 45, 45, 0)
    assert stored.bytes == sum(file.stat().st_size for file in Path(path, "4_4_40").iterdir())
    assert stored.raw_bytes == VOXELS.nbytes
    assert stored.ratio == pytest.approx(stored.bytes / (VOXELS.nbytes * 45 / 48))
    assert {plane: array.shape for plane, array in shares.items()} == {"xy": (4, 4), "xz": (3, 4), "yz": (3, 4)}
    assert sorted(map(tuple, np.argwhere(shares["xy"] < 1).tolist())) == [(1, 0), (1, 1), (3, 3)]
    assert shares["xy"][1, 0] == pytest.approx(2 / 3)
    assert sorted(map(tuple, np.argwhere(shares["xz"] < 1).tolist())) == [(0, 3), (2, 0), (2, 1)]
    assert sorted(map(tuple, np.argwhere(shares["yz"] < 1).tolist())) == [(0, 3), (2, 1)]
    assert shares["yz"][2, 1] == 0.5


def test_what_is_no_chunk_is_counted_apart(path: str) -> None:
    for name in ("0-16_0-16_0-17", "notes.txt", "16-32_0-16_0-16.bak"):
        Path(path, "4_4_40", name).write_bytes(b"12345")
    stored, _ = survey_mip(Layer.open(path), 0, 100)
    assert (stored.there, stored.strange) == (48, 3)


def test_chunks_in_shards_are_looked_up_in_their_indices(path: str, tmp_path: Path) -> None:
    for hole in HOLES:
        Path(path, "4_4_40", f"{hole}.gz").unlink()
    sharded = str(tmp_path / "sharded")
    do_recorded("image transfer", source=path, dest=sharded, sharded=True, fill_missing=True, skip_background=True)
    loose, shares = survey_mip(Layer.open(path), 0, 100)
    stored, of_shards = survey_mip(Layer.open(sharded), 0, 100)
    assert stored.there == loose.there == 45
    assert stored.objects < 45
    assert stored.bytes == sum(file.stat().st_size for file in Path(sharded, "4_4_40").iterdir())
    assert all(np.array_equal(shares[plane], of_shards[plane]) for plane in shares)


def test_many_shards_count_as_whole_and_that_is_said(path: str, tmp_path: Path) -> None:
    sharded = str(tmp_path / "sharded")
    do_recorded("image transfer", source=path, dest=sharded, sharded=True)
    stored, shares = survey_mip(Layer.open(sharded), 0, 0)
    assert stored.there is None
    assert stored.ratio is None
    assert all((share == 1).all() for share in shares.values())
    assert "each counts as whole" in stored.notes[0]


def test_a_damaged_shard_is_told_of_and_the_rest_is_shown(path: str, tmp_path: Path) -> None:
    sharded = str(tmp_path / "sharded")
    do_recorded("image transfer", source=path, dest=sharded, sharded=True)
    (file,) = Path(sharded, "4_4_40").iterdir()
    file.write_bytes(file.read_bytes()[:10])
    stored, shares = survey_mip(Layer.open(sharded), 0, 100)
    assert "it ends" in stored.notes[0]
    assert all((share == 0).all() for share in shares.values())


@settings(max_examples=50, deadline=None)
@given(st.tuples(*(st.integers(1, 40),) * 3), st.data())
def test_a_code_leads_back_to_its_cell(cells_of: tuple[int, int, int], data: st.DataObject) -> None:
    morton = Morton(cells_of)
    cell = np.array([[data.draw(st.integers(0, n - 1)) for n in cells_of]])
    assert np.array_equal(morton.cells_of(morton.codes(cell)), cell)
