"""GitHub's workflows are what GitHub understands, trust nobody by a name that can move, and run what .ci/run runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from deploy.dockerfile import CHECKOUT

GITHUB = CHECKOUT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))


def read(file: Path) -> dict[str, Any]:  # Any: whatever YAML holds
    import yaml  # type: ignore[import-untyped]  # it comes with the schemas, and its types do not

    # `on` is a yes in YAML 1.1
    return {"on" if word is True else word: value for word, value in yaml.safe_load(file.read_text()).items()}


def call(program: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name(program)), *map(str, words)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB")}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ)


def check(said: dict[str, Any], schema: str = "github-workflows") -> list[str]:
    """What the schema has against it."""
    import jsonschema  # type: ignore[import-untyped]  # as above
    from check_jsonschema.builtin_schemas import get_builtin_schema  # type: ignore[import-untyped]  # as above

    return [
        error.message for error in jsonschema.Draft7Validator(get_builtin_schema(f"vendor.{schema}")).iter_errors(said)
    ]


def test_workflows_are_what_the_schema_says() -> None:
    assert {file.name: check(read(file)) for file in WORKFLOWS} == {
        "image.yml": [],
        "tests.yml": [],
        "wheel.yml": [],
    }


def test_the_updates_are_what_the_schema_says() -> None:
    assert check(read(GITHUB / "dependabot.yml"), "dependabot") == []


def test_a_misspelt_word_in_a_workflow_is_found() -> None:
    worse = read(GITHUB / "workflows" / "tests.yml")
    worse["jobs"]["macos"]["run-on"] = worse["jobs"]["macos"].pop("runs-on")

    assert any("macos" in text or "run-on" in text for text in check(worse))


def test_workflows_have_no_known_weakness() -> None:
    done = call("zizmor", "--offline", "--no-progress", "--no-config", GITHUB)
    assert done.returncode == 0, done.stdout


def test_an_action_that_is_named_by_a_tag_is_found(tmp_path: Path) -> None:
    worse = tmp_path / ".github" / "workflows"
    worse.mkdir(parents=True)
    text = re.sub(r"@[0-9a-f]{40} # v\S+", "@v4", (GITHUB / "workflows" / "wheel.yml").read_text())
    (worse / "wheel.yml").write_text(text)
    done = call("zizmor", "--offline", "--no-progress", "--no-config", tmp_path)
    assert done.returncode != 0
    assert "unpinned-uses" in done.stdout


def test_the_tests_run_what_a_change_must_pass_on_every_python_that_we_promise() -> None:
    jobs = read(GITHUB / "workflows" / "tests.yml")["jobs"]
    (lowest,) = re.findall(
        r">=3\.(\d+)", tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["requires-python"]
    )

    versions = jobs["linux"]["strategy"]["matrix"]["python"]

    assert [step.get("run") for step in jobs["linux"]["steps"]][-1] == "bash .ci/run"
    assert versions == [f"3.{minor}" for minor in range(int(lowest), 14)]
    assert (CHECKOUT / ".ci" / "run").exists()
    for place in re.findall(r"\btests/\w+", str(jobs["macos"])):
        assert (CHECKOUT / place).is_dir(), place


@pytest.mark.parametrize("name", ["wheel.yml", "image.yml"])
def test_only_a_tag_publishes(name: str) -> None:
    workflow = read(GITHUB / "workflows" / name)
    assert workflow["on"]["push"] == {"tags": ["v*"]}
    assert workflow["permissions"] == {}
    text = (GITHUB / "workflows" / name).read_text()
    assert "pull_request_target" not in text
