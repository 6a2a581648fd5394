"""The page of `teravox report` in a real browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer
from quality.volumes import cells, cut
from view.browser import Page

from teravox.cli.main import main
from teravox.pipeline.quality.page.write import SECTIONS

pytestmark = pytest.mark.server

PAPER = {"light": (255, 255, 255), "dark": (18, 23, 29)}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    path = make_layer(folder / "seg", cut(cells(64, 20), 32), chunk=(32, 32, 32), type="segmentation")
    assert main(["report", path, "--output", str(folder / "report.html"), "--quiet"]) == 0
    return folder / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_shown_without_a_complaint(page: Page, report: Path, scheme: str) -> None:
    complaints = page.listen()
    page.prefer(scheme)
    page.open(report.as_uri())
    page.wait_for("document.readyState === 'complete' && document.querySelectorAll('section').length > 0")
    _, picture = page.take_picture()
    assert complaints == []
    assert (
        page.evaluate("performance.getEntriesByType('resource').filter(e => !e.name.startsWith('data:')).length") == 0
    )
    for section in SECTIONS:
        box = f"document.getElementById('{section}').getBoundingClientRect()"
        assert page.evaluate(f"{box}.height > 40 && {box}.width > 400 && {box}.right <= innerWidth"), section
    assert page.evaluate("[...document.images].length >= 6 && [...document.images].every(i => i.naturalWidth > 1)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    colors, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    assert tuple(colors[counts.argmax()].tolist()) == PAPER[scheme]
    assert len(colors) > 50


def test_a_program_in_a_page_would_be_noticed(page: Page, report: Path) -> None:
    evil = report.with_name("evil.html")
    evil.write_text(report.read_text().replace("</main>", "<script>document.title = 'evil'</script></main>"))
    complaints = page.listen()
    page.open(evil.as_uri())
    page.wait_for("document.readyState === 'complete' && document.querySelectorAll('section').length > 0")
    assert page.evaluate("document.title") != "evil"
    assert any("Content Security Policy" in complaint for complaint in complaints)
