from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli.running import Run
from layers.make import make_layer
from quality.parsing import Parsed
from quality.volumes import cells


@pytest.fixture
def layer(tmp_path: Path) -> str:
    return make_layer(tmp_path / "seg", cells(32, 6), chunk=(16, 16, 16), type="segmentation")


def test_a_page_is_written_and_the_layer_is_left_as_it_is(run: Run, layer: str, tmp_path: Path) -> None:
    before = {file: file.read_bytes() for file in Path(layer).rglob("*") if file.is_file()}
    code, out, err = run("report", layer, "--output", str(tmp_path / "page.html"))
    assert (code, err) == (0, "")
    assert out == f"The report is in {tmp_path}/page.html. Open it in a browser.\n"
    assert f"file://{layer}" in Parsed((tmp_path / "page.html").read_text()).text
    assert {file: file.read_bytes() for file in Path(layer).rglob("*") if file.is_file()} == before


def test_a_second_run_replaces_the_page(run: Run, layer: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("old")
    for _ in range(2):
        assert run("report", layer, "--output", str(page), "--quiet") == (0, "", "")
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert {file.name for file in tmp_path.iterdir() if file.suffix != ".toml"} >= {"page.html", "seg"}


def test_figures_are_printed_for_machines(run: Run, layer: str) -> None:
    code, out, _ = run("report", layer, "--json", "--samples", "7", "--seed", "3")
    figures = json.loads(out)
    assert (code, figures["samples"], figures["seed"]) == (0, 7, 3)
    assert figures["seams"][0]["what"] == "labels"
    assert figures["stored"][0]["there"] == 8
    assert figures["verified"] is None


def test_verification_is_told_in_the_page(run: Run, layer: str, tmp_path: Path) -> None:
    Path(layer, "4_4_40", "0-16_16-32_0-16.gz").unlink()
    page = tmp_path / "page.html"
    assert run("report", layer, "--output", str(page), "--verify", "--quiet") == (0, "", "")
    told = Parsed(page.read_text())
    assert [row[:2] for row in told.tables["What is wrong"][1:]] == [["missing", "4_4_40/0-16_16-32_0-16"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output", "page.pdf"], "does not end with .html"),
        (["--output", "nowhere/page.html"], "is no folder"),
        (["--output", "s3://bucket/page.html"], "is no file of this machine"),
        (["--output", "page.html", "--json"], "means nothing with --json"),
        (["--samples", "0"], "--samples"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    run: Run, layer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run("report", layer, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert not list(tmp_path.glob("*.html"))


def test_a_place_without_a_layer_is_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run("report", str(tmp_path / "nothing"))
    assert code == 3
    assert "there is no layer at" in err
    assert not list(tmp_path.glob("*.html"))


def test_ctrl_c_leaves_no_page(run: Run, layer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("teravox.pipeline.quality.measure.survey_mip", stop)
    code, out, err = run("report", layer, "--output", str(tmp_path / "page.html"))
    assert (code, out) == (130, "")
    assert "nothing was written" in err
    assert not list(tmp_path.glob("*.html"))
