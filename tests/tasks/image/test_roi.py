"""`image roi` on real layers, against scikit-image and CloudVolume."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import Array, Vec, files_of, make_layer, read_layer, voxels
from memory_alone import measure_memory
from skimage.measure import label, regionprops

from teravox.cli.main import main
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.rois import read_rois
from teravox.tasks.image.downsample import Downsample
from teravox.tasks.image.roi import Roi


def found(path: str, mip: int = 0) -> list[tuple[Box, int]]:
    return [(roi.box, roi.voxels) for roi in read_rois(Layer.open(path), mip).rois]


def two_parts(size: Vec = (64, 48, 20)) -> Array:
    array = np.zeros((*size, 1), np.uint8, order="F")
    array[4:20, 8:24, 2:10] = 200
    array[40:64, 30:48, 5:20] = 100
    return array


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(*[st.integers(1, 24)] * 3),
    offset=st.tuples(*[st.integers(-30, 30)] * 3),
    channels=st.integers(1, 2),
    above=st.integers(0, 255),
    dust=st.integers(0, 30),
    dtype=st.sampled_from(["uint8", "int16", "float32"]),
)
def test_boxes_are_those_of_scikit_image(
    tmp_path_factory: pytest.TempPathFactory, size: Vec, offset: Vec, channels: int, above: int, dust: int, dtype: str
) -> None:
    array = voxels(size, dtype, channels=channels)
    path = make_layer(tmp_path_factory.mktemp("layer"), array, offset=offset, compress=False)
    do(Roi(path, suppress_faint=above, dust=dust))
    whole = label((array > above).any(axis=3), connectivity=3)
    parts = regionprops(whole)
    expected = []
    for part in parts:
        x0, y0, z0, x1, y1, z1 = part.bbox
        if part.area >= dust:
            expected.append((Box((x0, y0, z0), (x1, y1, z1)).shift(offset), int(part.area)))
    by_corner = sorted(expected, key=lambda part: (part[0].min[::-1], part[0].max[::-1], part[1]))
    assert found(path) == by_corner


def test_the_smallest_mip_is_looked_at_and_boxes_are_of_full_size(tmp_path: Path) -> None:
    path = make_layer(tmp_path, two_parts(), offset=(5, -7, 9), chunk=(16, 16, 16))
    made = Downsample(path, num_mips=2, factor=(2, 2, 2))
    made.prepare()
    for piece in made.pieces():
        made.run(piece)
    do(Roi(path))
    assert found(path, 2) == [
        (Box((4, 8, 0), (20, 24, 12)).shift((5, -7, 9)), 4 * 4 * 3),
        (Box((40, 28, 4), (64, 48, 20)).shift((5, -7, 9)), 6 * 5 * 4),
    ]


def test_a_part_of_the_volume_can_be_looked_at(tmp_path: Path) -> None:
    path = make_layer(tmp_path, two_parts(), offset=(5, 5, 5))
    do(Roi(path, bounds=Box((5, 5, 5), (15, 53, 100))))
    assert found(path) == [(Box((4, 8, 2), (10, 24, 10)).shift((5, 5, 5)), 6 * 16 * 8)]


def test_the_info_stays_as_it_is_unless_asked(tmp_path: Path) -> None:
    path = make_layer(tmp_path, two_parts())
    before = (tmp_path / "info").read_bytes()
    do(Roi(path))
    assert (tmp_path / "info").read_bytes() == before


def test_cloudvolume_and_tensorstore_read_an_info_with_boxes(tmp_path: Path) -> None:
    import tensorstore
    from cloudvolume import CloudVolume

    array = two_parts()
    path = make_layer(tmp_path, array, offset=(5, -7, 9), compress=False)
    do(Roi(path, to_info=True))
    info = json.loads((tmp_path / "info").read_text())
    assert info["scales"][0]["rois"] == [[9, 1, 11, 24, 16, 18], [45, 23, 14, 68, 40, 28]]
    volume = CloudVolume(f"file://{path}")
    assert [roi.to_list() for roi in volume.meta.rois] == info["scales"][0]["rois"]
    assert np.array_equal(read_layer(path, 0), array)
    assert volume[24:25, 16:17, 18:19].item() == 200  # the last voxel of the first box
    spec = {"driver": "neuroglancer_precomputed", "kvstore": {"driver": "file", "path": f"{path}/"}}
    assert np.array_equal(tensorstore.open(spec, read=True).result().read().result(), array)
    do(Roi(path, to_info=True, suppress_faint=255))
    assert "rois" not in json.loads((tmp_path / "info").read_text())["scales"][0]


def test_running_again_changes_no_byte(tmp_path: Path) -> None:
    path = make_layer(tmp_path, two_parts())
    job = Roi(path, to_info=True)
    do(job)
    before = {name: data for name, data in files_of(path).items() if name != "provenance"}
    do(job)
    assert {name: data for name, data in files_of(path).items() if name != "provenance"} == before
    (piece,) = job.pieces()
    assert set(job.outputs(piece)) == {name for name in before if name.startswith("stats/")}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"memory_limit": 1000}, "make smaller mips by teravox image downsample, or give it more --memory"),
        ({"bounds": Box((100, 0, 0), (110, 8, 8))}, "--bounds: .* lies outside"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    path = make_layer(tmp_path, two_parts())
    before = files_of(path)
    with pytest.raises(BadUsage, match=words):
        Roi(path, **options).prepare()
    assert files_of(path) == before


def test_the_command_lists_the_boxes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_layer(tmp_path, two_parts())
    assert main(["image", "roi", path]) == 0
    out = capsys.readouterr().out
    assert "\n4,8,2:20,24,10\n40,30,5:64,48,20\n2 boxes are not empty; see file://" in out


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize("above", [0, 250])
def test_the_piece_needs_no_more_memory_than_it_says(tmp_path: Path, above: int) -> None:
    array = np.asfortranarray(np.tile(voxels((64, 64, 64), "uint8"), (4, 4, 2, 1)))
    path = make_layer(tmp_path, array, chunk=(64, 64, 64), compress=False)
    job = Roi(path, suppress_faint=above, dust=0)
    assert measure_memory(job).peak <= job.memory(job.pieces()[0])
