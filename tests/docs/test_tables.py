from __future__ import annotations

import re
from pathlib import Path

from teravox.pipeline.worker.settings import WorkerSettings
from teravox.pipeline.worker.treatment import TREATMENT

DOCS = Path(__file__).parents[2] / "docs"


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = (DOCS / page).read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_failures_in_the_docs_are_treated_as_they_say() -> None:
    said = {
        sort: (again == "yes", float(pause.split(" ")[0].replace("none", "0") or 0), counts == "no")
        for sort, _, again, pause, counts in rows("workers.md", "What is done about failures")
    }

    assert said == {sort: (it.tries_again, it.first_pause, it.refund) for sort, it in TREATMENT.items()}


def test_the_number_of_tries_in_the_docs_is_the_default() -> None:
    text = (DOCS / "workers.md").read_text()

    assert re.findall(r"After `--tries` attempts \((\d+)\)", text) == [str(WorkerSettings().tries)]


def test_prose_has_one_sentence_a_line() -> None:
    pages = [*DOCS.rglob("*.md"), DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md"]

    crowded = [
        f"{page.name}: {line}"
        for page in pages
        if page.name != "commands.md"
        for line in re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL).splitlines()
        if not line.startswith("|") and re.search(r"[a-z)`]\. [A-Z`]", line)
    ]

    assert crowded == []
