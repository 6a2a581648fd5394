from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_examples import Example, examples, matches, run

CHECKOUT = Path(__file__).parents[2]
MAKES_LAYER = re.compile(r"python examples/make_layer\.py \./(?P<name>\w+)(?P<options>[ \w-]*)")
GENERATED = {"commands.md"}
WRITTEN = [
    page
    for page in [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
    if page.name not in GENERATED
]
PAGES = [page for page in WRITTEN if "```console" in page.read_text() or "```python" in page.read_text()]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A user's environment: no settings, no credentials, the installed commands first."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("COVERAGE_", "LC_", "LANG", "TMP"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return kept | {"PATH": path, "HOME": str(home), "TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "100"}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where lie the layers that `make_layer.py` has made, for all processes that run tests: many pages begin with one."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made-for-pages"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path, environ: dict[str, str], made: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copytree(CHECKOUT / "examples", folder / "examples")
    for example in examples(page, folder):
        makes = MAKES_LAYER.fullmatch(example.shown)
        if makes is None or example.expected != "…":
            run(example, folder, environ)
            continue
        kept = made / f"made{makes['options'].replace(' ', '_')}"
        with (made / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                run(example, folder, environ)
                (folder / makes["name"]).rename(kept)
        shutil.copytree(kept, folder / makes["name"])


def test_the_command_page_is_what_the_declarations_say() -> None:
    page = CHECKOUT / "docs" / "commands.md"

    made = subprocess.run(
        [sys.executable, "-m", "teravox.cli.manual"], capture_output=True, text=True, check=True, env={**os.environ}
    ).stdout

    assert page.read_text() == made, "docs/commands.md is old; write it anew with: make docs"


@pytest.mark.parametrize("page", [*WRITTEN, *(CHECKOUT / "changes").glob("*.md")], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())

    missing = [target for target in targets if not (page.parent / target).exists()]

    assert missing == []


@pytest.mark.parametrize("page", [*WRITTEN, *(CHECKOUT / "changes").glob("*.md")], ids=lambda page: page.name)
def test_links_into_pages_lead_to_a_heading(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text())

    missing = [
        f"{name}#{anchor}" for name, anchor in targets if anchor not in anchors(page.parent / name if name else page)
    ]

    assert missing == []


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page in links."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_an_example_that_fails_is_found(tmp_path: Path, environ: dict[str, str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("Say:\n\n```console\n$ echo one\none\n$ false\n```\n")

    one, fails = examples(page, tmp_path)

    run(one, tmp_path, environ)
    with pytest.raises(AssertionError, match="line 6: false\nended with 1"):
        run(fails, tmp_path, environ)


def test_output_that_differs_is_found(tmp_path: Path, environ: dict[str, str]) -> None:
    example = Example(1, ["bash", "-c", "echo two"], "echo two", "one")

    with pytest.raises(AssertionError, match="the page says:\none\nit printed:\ntwo"):
        run(example, tmp_path, environ)


def test_dots_stand_for_what_differs_between_runs() -> None:
    assert matches("a 1.5 s\nb\n", "a … s\nb")
    assert matches("a\nb\nc\n", "a\n…\nc")
    assert matches("a\n", "a\n…")
    assert not matches("a\nb\n", "a …")
    assert not matches("a\nb\nc\n", "a\n…\nb")


def test_a_file_is_written_before_the_example_that_needs_it(tmp_path: Path, environ: dict[str, str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\n# file: a/b.py\nx = 1\n```\n\n```console\n$ cat a/b.py |\n> tail -n 1\nx = 1\n```\n")

    for example in examples(page, tmp_path):
        run(example, tmp_path, environ)
