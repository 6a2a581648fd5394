from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer, voxels
from PIL import Image
from quality.parsing import Parsed
from quality.volumes import cells, cut
from verification.recorded import do_recorded

from teravox.kernels.quality.paint import paint_labels
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.provenance import record_processing
from teravox.pipeline.ledger import Ledger
from teravox.pipeline.message import job_id
from teravox.pipeline.quality.measure import Measuring
from teravox.pipeline.quality.page.write import SECTIONS, write_page
from teravox.pipeline.registry import Registry
from teravox.tasks.image.downsample import Downsample

LABELS = cut(cells(64, 20), 32).astype("uint32")
HOSTILE = "<script>alert('1')</script>\"&"


def page_of(path: str) -> str:
    return write_page(Measuring(Layer.open(path, fresh=True), Registry(), 1000, 0).run()).decode()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A segmentation of two mips with a table and a hole, in a folder of a hostile name."""
    folder = tmp_path_factory.mktemp("page") / HOSTILE.replace("/", "-")
    path = make_layer(folder, LABELS, chunk=(32, 32, 32), type="segmentation", resolution=(16, 16, 40))
    do_recorded("image downsample", layer=path, num_mips=1, factor=(2, 2, 1))
    do_recorded("image count", layer=path)
    Path(path, "16_16_40", "32-64_0-32_0-32.gz").unlink()
    layer = Layer.open(path)
    record_processing(layer.store, HOSTILE, {"by": HOSTILE})
    hostile = Downsample(layer=f"{path}/{HOSTILE}")
    Ledger(layer.store, job_id(HOSTILE, hostile)).open(HOSTILE, hostile, 1, f"teravox {HOSTILE}")
    return path


@pytest.fixture(scope="module")
def page(path: str) -> str:
    return page_of(path)


@pytest.fixture(scope="module")
def seen(page: str) -> Parsed:
    return Parsed(page)


def test_every_section_is_there_and_says_what_it_shows(seen: Parsed) -> None:
    assert list(seen.sections) == list(SECTIONS)
    assert all(len(text) > 60 for text in seen.sections.values())


def test_labels_and_their_sizes_are_what_numpy_counts(seen: Parsed) -> None:
    names, sizes = np.unique(LABELS[LABELS > 0], return_counts=True)
    largest = sorted(zip((-sizes).tolist(), names.tolist(), strict=True))[:10]
    rows = seen.tables["The largest labels"]
    assert [(row[0], row[1]) for row in rows[1:]] == [(str(name), f"{-size:,}") for size, name in largest]
    assert f"{len(names):,} labels" in seen.sections["sizes"]
    assert f"{100 * sizes.sum() / LABELS.size:.3g} %" in seen.sections["sizes"]
    bars = (re.fullmatch(r"(\d+(?:Ki)?): (\d+)", title) for title in seen.titles)
    assert {bar[1]: int(bar[2]) for bar in bars if bar} == {
        f"{2**k}" if k < 10 else f"{2 ** (k - 10)}Ki": int(((sizes >= 2**k) & (sizes < 2 ** (k + 1))).sum())
        for k in range(int(np.log2(sizes.min())), int(np.log2(sizes.max())) + 1)
    }


def test_chunks_and_bytes_are_those_of_the_files(path: str, seen: Parsed) -> None:
    files = list(Path(path, "16_16_40").iterdir())
    size = sum(file.stat().st_size for file in files)
    mip = seen.tables["Storage by mip"][1]
    assert mip[:4] == ["0", "raw", "7", "7"]
    assert mip[5] == (f"{size / 1000:.1f} kB" if size < 99_950 else f"{size / 1000:.0f} kB")
    assert mip[6] == f"{100 * size / (LABELS.nbytes * 7 / 8):.3g} %"
    assert "7 of 8 chunks are there; missing: 1 (12.5 %)" in seen.sections["coverage"]


def test_costs_are_those_of_the_ledger(seen: Parsed) -> None:
    rows = {row[1]: row for row in seen.tables["Jobs"][1:]}
    assert rows["image downsample"][3] == "1/1"
    assert set(rows) == {"image downsample", "image count"}
    assert len(seen.tables["Jobs as they were asked for"]) == 1 + 3


def test_slices_are_the_voxels_in_color(page: str) -> None:
    sources = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="Slice of mip 0 along x and y', page)
    (png,) = (Image.open(io.BytesIO(base64.b64decode(source))) for source in sources)
    plane = LABELS[:, :, 31, 0].copy()
    plane[32:, :32] = 0
    assert np.array_equal(np.asarray(png.convert("RGB")), paint_labels(plane).transpose(1, 0, 2))


def test_nothing_comes_from_elsewhere_and_no_program_runs(page: str, seen: Parsed) -> None:
    assert "script" not in seen.tags
    points_to = [value for name, value in seen.attributes if name in ("src", "href", "xlink:href", "srcset", "data")]
    assert points_to
    assert all(value.startswith(("data:image/png;base64,", "#")) for value in points_to)
    assert not re.search(r"https?://|@import|url\(", page)
    assert not any(name.startswith("on") for name, _ in seen.attributes)
    assert len(page) < 2_000_000


def test_hostile_names_are_shown_and_do_nothing(path: str, page: str, seen: Parsed) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert HOSTILE in {row[0] for row in seen.tables["History, by the provenance"]}
    assert f"teravox {HOSTILE}" in {row[4] for row in seen.tables["Jobs as they were asked for"]}
    assert path in seen.text


def test_pictures_plots_and_tables_say_what_they_are(page: str, seen: Parsed) -> None:
    assert page.count("<img ") == page.count(' alt="') > 5
    assert page.count("<svg ") == page.count('role="img"') > 1
    assert all(rows and all(len(row) == len(rows[0]) for row in rows) for rows in seen.tables.values())
    assert page.count("<table>") == page.count("<caption>") == page.count("<thead>")


def test_a_gray_image_without_a_ledger_says_what_it_has_not(tmp_path: Path) -> None:
    path = make_layer(tmp_path / "em", voxels((40, 30, 20), "uint16"), chunk=(16, 16, 16))
    seen = Parsed(page_of(path))
    assert "only segmentations have labels" in seen.sections["sizes"]
    assert "seams are looked for in labels" in seen.sections["seams"]
    assert "This layer has no ledger" in seen.sections["costs"]
    assert "It was not verified" in seen.sections["verified"]


def test_of_several_channels_the_first_is_shown(tmp_path: Path) -> None:
    array = voxels((16, 16, 16), "uint8", channels=3)
    page = page_of(make_layer(tmp_path / "em", array, chunk=(16, 16, 16)))
    (source,) = re.findall(r'base64,([^"]+)" alt="Slice of mip 0 along x and y', page)
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(source)))).astype(int)
    assert np.corrcoef(shown.ravel(), array[:, :, 7, 0].T.ravel())[0, 1] > 0.99
    assert "of the first channel" in Parsed(page).sections["thumbnails"]


def test_a_chunk_that_cannot_be_read_is_told_of_where_it_would_be_seen(tmp_path: Path) -> None:
    path = make_layer(tmp_path / "seg", LABELS, chunk=(32, 32, 32), type="segmentation", compress=False)
    for file in Path(path, "4_4_40").iterdir():
        file.write_bytes(b"short")
    seen = Parsed(page_of(path))
    for section in ("thumbnails", "sizes", "seams"):
        assert "cannot be read" in seen.sections[section]
    assert "all 8 chunks are there" in seen.sections["coverage"]


def test_an_empty_segmentation_has_no_labels_and_no_seams(tmp_path: Path) -> None:
    empty = np.zeros((64, 64, 64, 1), "uint64", order="F")
    seen = Parsed(page_of(make_layer(tmp_path / "seg", empty, chunk=(32, 32, 32), type="segmentation")))
    assert "0 labels, which fill 0 % of the volume" in seen.sections["sizes"]
    assert "There is nothing to compare." in seen.sections["seams"]
