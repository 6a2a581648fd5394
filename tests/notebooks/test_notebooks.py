"""The notebooks run from their first cell to their last one, on volumes that are smaller than those they show."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from nbclient import NotebookClient

CHECKOUT = Path(__file__).parents[2]
NOTEBOOKS = sorted((CHECKOUT / "notebooks").glob("*.ipynb"))
PARAMETERS = "parameters"  # the tag of the cell that says how large everything is
Notebook = Any  # of nbformat, which has no types


class Trial(NamedTuple):
    """How a notebook is run, and what it must find."""

    parameters: str
    pictures: int
    said: str  # its figures, as a pattern
    is_good: Callable[[dict[str, float]], bool]


TRIALS = {
    "em": Trial(
        "size = (96, 80, 32)\nslices = (8, 16, 24)",
        4,
        r"VI (?P<vi>[\d.]+) bits",
        lambda found: found["vi"] < 1.2,
    ),
    "beads": Trial(
        "size = (72, 64, 48)\nradius = 10.0",
        2,
        r"(?P<found>\d+) beads, and (?P<drawn>\d+) of at least",
        lambda found: found["found"] == found["drawn"] > 20,
    ),
    "fibres": Trial(
        "size = (84, 76, 32)\nplane = 20",
        1,
        r"(?P<matched>\d+) of (?P<drawn>\d+) centres found[^;]*; (?P<found>\d+) in all\ndiscs: Dice (?P<dice>[\d.]+)",
        lambda found: found["matched"] == found["drawn"] == found["found"] > 5 and found["dice"] > 0.9,
    ),
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_to_its_end(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = TRIALS[path.stem]
    notebook = read(path)
    cell = next(cell for cell in notebook.cells if PARAMETERS in cell.metadata.get("tags", []))
    cell.source = trial.parameters
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")

    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()

    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    said = "".join(output.text for output in shown if output.output_type == "stream" and output.name == "stdout")
    figures = re.search(trial.said, said)
    assert figures, said
    found = {name: float(value) for name, value in figures.groupdict().items()}
    assert trial.is_good(found), found
    data = [output.data for output in shown if "data" in output]
    assert sum("image/png" in each or "image/svg+xml" in each for each in data) == trial.pictures
    assert sum("<iframe" in each.get("text/html", "") for each in data) == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_what_it_has_shown(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert "widgets" not in notebook.metadata


def test_each_notebook_is_tried_and_told_of() -> None:
    names = {path.stem for path in NOTEBOOKS}
    assert names == set(TRIALS)
    page = (CHECKOUT / "docs" / "notebooks.md").read_text()
    assert {name for name in names if f"notebooks/{name}.ipynb" in page} == names


def read(path: Path) -> Notebook:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # it has none
