"""Stacks of slice files: their order, their gaps, and files that do not belong."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from layers.make import voxels
from sources import write

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.sources import slices as slices_file
from teravox.pipeline.sources.open import open_source
from teravox.pipeline.sources.slice_names import put_in_order
from teravox.pipeline.sources.source import Choice, MissingSlices
from teravox.pipeline.sources.volume import Volume

SIZE = (21, 17, 12)


def stack(folder: Path, ending: str = "png", **options: Any) -> Path:
    return write.slices(folder, voxels(SIZE, "uint8")[..., 0], ending, **options)


def planes() -> Any:
    return voxels(SIZE, "uint8")[..., 0].T


def read(place: Path, missing: MissingSlices = "fail", box: Box | None = None) -> Any:
    """All of a stack, as z, y, x."""
    with Volume(open_source(str(place), Choice(missing_slices=missing))) as volume:
        volume.source.check()
        box = box or Box((0, 0, 0), volume.size)
        found = np.empty((*box.size, volume.channels), volume.dtype, order="F")
        volume.read(box, found, 4)
    return found[..., 0].T if found.shape[3] == 1 else found.transpose(2, 1, 0, 3)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_slices_are_in_natural_order(tmp_path: Path, ending: str) -> None:
    assert np.array_equal(read(stack(tmp_path, ending)), planes())


def test_jpeg_slices_are_read_as_other_libraries_read_them(tmp_path: Path) -> None:
    from PIL import Image

    for number, plane in enumerate(planes()):
        Image.fromarray(plane).save(tmp_path / f"{number}.jpg", quality=95)
    expected = [np.asarray(Image.open(tmp_path / f"{number}.jpg")) for number in range(SIZE[2])]
    assert np.array_equal(read(tmp_path), expected)


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_colours_are_channels(tmp_path: Path, ending: str) -> None:
    from PIL import Image

    colours = np.random.default_rng(0).integers(0, 255, (3, 16, 24, 3), np.uint8)
    for number, plane in enumerate(colours):
        Image.fromarray(plane).save(tmp_path / f"{number}.{ending}")
    found = read(tmp_path)
    assert found.shape == (3, 16, 24, 3)
    if ending != "jpg":
        assert np.array_equal(found, colours)


def test_small_pictures_give_their_numbers(tmp_path: Path) -> None:
    from PIL import Image

    numbers = np.arange(12, dtype=np.uint8).reshape(3, 4) % 4
    palette = Image.fromarray(numbers).convert("P")
    palette.putdata(numbers.ravel().tolist())
    palette.putpalette([9, 99, 199] * 4)
    palette.save(tmp_path / "0.png")
    assert np.array_equal(read(tmp_path)[0], numbers)
    Image.fromarray(numbers > 1).save(tmp_path / "0.png")
    assert np.array_equal(read(tmp_path)[0], numbers > 1)


def test_a_missing_slice_is_named_or_filled(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = stack(tmp_path)
    for number in (11, 14, 15):
        (folder / f"em_{number}.png").unlink()
    with pytest.raises(BadInput, match=r"3 of 12 slices are missing: 11, 14-15\. Bring them, or pass --missing-slices"):
        read(folder)
    expected = planes().copy()
    with caplog.at_level(logging.WARNING):
        expected[[3, 6, 7]] = 0
        assert np.array_equal(read(folder, "blank"), expected)
        expected[3], expected[6], expected[7] = expected[2], expected[5], expected[5]
        assert np.array_equal(read(folder, "repeat"), expected)
    assert "slices 11, 14-15 are missing: they become background" in caplog.text


def test_what_is_repeated_does_not_depend_on_the_piece(tmp_path: Path) -> None:
    folder = stack(tmp_path)
    for number in (11, 12, 13):
        (folder / f"em_{number}.png").unlink()
    whole = read(folder, "repeat")
    for z in range(SIZE[2]):
        assert np.array_equal(read(folder, "repeat", Box((3, 5, z), (11, 9, z + 1)))[0], whole[z, 5:9, 3:11])
    assert np.array_equal(whole[5], planes()[2])


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("damage", ["empty", "cut off", "garbage"])
def test_an_unreadable_slice_is_named_or_filled(tmp_path: Path, ending: str, damage: str) -> None:
    folder = stack(tmp_path, ending)
    file = folder / f"em_10.{ending}"
    data = file.read_bytes()
    file.write_bytes({"empty": b"", "cut off": data[:-60], "garbage": b"\x93" * 500}[damage])
    with pytest.raises(BadInput, match=rf"em_10\.{ending} cannot be read: .*--missing-slices blank or repeat"):
        read(folder)
    expected = planes().copy()
    expected[2] = 0
    assert np.array_equal(read(folder, "blank"), expected)
    expected[2] = expected[1]
    assert np.array_equal(read(folder, "repeat"), expected)


def test_a_jpeg_that_is_cut_off_is_not_half_read(tmp_path: Path) -> None:
    data = imagecodecs.jpeg_encode(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
    (tmp_path / "0.jpg").write_bytes(data)
    (tmp_path / "1.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(BadInput, match=r"1\.jpg cannot be read: it is cut off"):
        read(tmp_path)


@pytest.mark.parametrize("missing", ["fail", "blank", "repeat"])
def test_slices_of_another_size_or_type_are_named(tmp_path: Path, missing: MissingSlices) -> None:
    folder = stack(tmp_path)
    (folder / "em_10.png").write_bytes(imagecodecs.png_encode(np.zeros((17, 20), np.uint8)))
    with pytest.raises(BadInput, match=r"em_10.png has 20 x 17 voxels of uint8, and the first has 21 x 17 voxels of"):
        read(folder, missing)
    (folder / "em_10.png").write_bytes(imagecodecs.png_encode(np.zeros((17, 21), np.uint16)))
    with pytest.raises(BadInput, match=r"em_10.png has 21 x 17 voxels of uint16"):
        read(folder, missing)
    (folder / "em_10.png").write_bytes(imagecodecs.png_encode(np.zeros((17, 21, 3), np.uint8)))
    with pytest.raises(BadInput, match=r"em_10.png has 21 x 17 voxels of uint8 and 3 channels"):
        read(folder, missing)


def test_what_prepare_does_not_look_at_is_checked_as_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(slices_file, "CHECKED", 2)
    folder = stack(tmp_path, "tif")
    tifffile.imwrite(folder / "em_10.tif", np.zeros((17, 20), np.uint8))
    with caplog.at_level(logging.INFO), pytest.raises(BadInput, match=r"slice .*em_10.tif has 20 x 17 voxels"):
        read(folder)
    assert "looked at 2 of 12 files; the others are checked as they are read" in caplog.text


def test_a_file_of_many_pages_is_no_slice(tmp_path: Path) -> None:
    folder = stack(tmp_path, "tif")
    tifffile.imwrite(folder / "em_10.tif", np.zeros((5, 17, 21), np.uint8))
    with pytest.raises(BadInput, match=r"em_10\.tif has 5 pages, and a stack has one slice in a file"):
        read(folder)


def test_pictures_of_several_formats_are_told_apart_by_a_pattern(tmp_path: Path) -> None:
    folder = stack(tmp_path)
    tifffile.imwrite(folder / "mask.tif", np.zeros((17, 21), np.uint8))
    (folder / "notes.txt").write_text("not a slice")
    (folder / ".hidden.png").write_text("not a slice")
    with pytest.raises(BadUsage, match=r"pictures of several formats \(12 PNG, 1 TIFF\): name those you mean"):
        read(folder)
    assert np.array_equal(read(folder / "*.png"), planes())


def test_a_single_picture_is_a_volume_of_one_slice(tmp_path: Path) -> None:
    folder = stack(tmp_path)
    assert np.array_equal(read(folder / "em_8.png"), planes()[:1])


@pytest.mark.parametrize(
    ("names", "ordered", "missing"),
    [
        (["s10", "s9", "s1"], ["s1", "s9", "s10"], "2-8"),
        (["a0", "a10", "a30"], ["a0", "a10", "a30"], "20"),
        (["s01_t77", "s02_t88", "s04_t99"], ["s01_t77", "s02_t88", "s04_t99"], ""),
        (["s01_t7", "s02_t9", "s04_t9"], ["s01_t7", "s02_t9", "s04_t9"], "3"),
        (["x5_2021", "x6_2021"], ["x5_2021", "x6_2021"], ""),
        (["b", "a"], ["a", "b"], ""),
        (["a1", "b1"], ["a1", "b1"], ""),
        (["only"], ["only"], ""),
    ],
)
def test_numbers_in_names_tell_of_gaps(names: list[str], ordered: list[str], missing: str) -> None:
    order = put_in_order([f"/d/{name}.png" for name in names], "/d")
    assert [path[3:-4] for path in order.paths] == ordered
    assert (order.say_missing() if order.missing else "") == missing


def test_two_files_of_one_number_are_refused() -> None:
    with pytest.raises(BadInput, match=r"a1.png and .*a01.png are both slice 1|a01.png and .*a1.png are both slice 1"):
        put_in_order(["/d/a1.png", "/d/a01.png", "/d/a2.png"], "/d")


def test_a_number_that_is_none_of_a_slice_fills_no_disk(tmp_path: Path) -> None:
    folder = stack(tmp_path)
    (folder / "em_20210304.png").write_bytes((folder / "em_8.png").read_bytes())
    with pytest.raises(BadInput, match="slices are missing beside 13 files; leave out the file whose number"):
        read(folder, "blank")


@given(st.sets(st.integers(0, 300), min_size=2), st.randoms(use_true_random=False))
def test_every_file_has_its_slot(numbers: set[int], random: Any) -> None:
    paths = [f"/d/s{number}.tif" for number in numbers]
    random.shuffle(paths)
    order = put_in_order(paths, "/d")
    slots = order.with_gaps()
    assert [path for path in slots if path] == [f"/d/s{number}.tif" for number in sorted(numbers)]
    assert slots.count(None) == order.missing
    assert all(path is None or path == f"/d/s{min(numbers) + at * order.step}.tif" for at, path in enumerate(slots))
