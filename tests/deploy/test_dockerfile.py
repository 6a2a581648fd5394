"""What can be known of the image without a container engine; `build_in_chroot.py` does all its steps."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from deploy.dockerfile import CHECKOUT, DOCKERFILE, Stage, copied, read_dockerfile

from teravox.cli.commands.execute import Execute
from teravox.cli.fields import fields_of

STAGES = {stage.name: stage for stage in read_dockerfile()}
IMAGE = read_dockerfile()[-1]
HADOLINT = Path(sys.executable).with_name("hadolint")


def lint(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([HADOLINT, "--no-color", file], capture_output=True, text=True, check=False)


def test_the_dockerfile_is_clean() -> None:
    done = lint(DOCKERFILE)

    assert done.returncode == 0, done.stdout


def test_a_bad_habit_in_a_dockerfile_is_found(tmp_path: Path) -> None:
    worse = tmp_path / "Dockerfile"
    worse.write_text(DOCKERFILE.read_text().replace("pip wheel --no-cache-dir", "pip install"))

    assert "DL3042" in lint(worse).stdout


@pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name or "image")
def test_every_stage_begins_at_the_same_digest(stage: Stage) -> None:
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", stage.base)
    assert stage.base == IMAGE.base


def sources(stage: Stage) -> list[str]:
    """What a stage takes from the checkout."""
    what = [copied(step) for step in stage.steps if step.word == "COPY"]
    return [source for each in what if each.stage is None for source in each.sources]


def test_what_is_copied_is_there() -> None:
    for stage in STAGES.values():
        for source in sources(stage):
            assert (CHECKOUT / source).exists(), source
        for step in stage.steps:
            if step.word == "COPY" and copied(step).stage:
                assert copied(step).stage in STAGES


def test_docker_sees_what_is_copied_and_nothing_else() -> None:
    """.dockerignore says `*`, and then names what may pass."""
    first, *rest = (CHECKOUT / ".dockerignore").read_text().splitlines()
    passed = [line[1:] for line in rest if line.startswith("!")]

    assert first == "*"
    assert sorted(passed) == sorted(source for stage in STAGES.values() for source in sources(stage))
    assert any(fnmatch.fnmatch("teravox/__pycache__", line) for line in rest)


def test_the_wheel_can_be_built_from_what_is_copied() -> None:
    said = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    project, wheel = said["project"], said["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = ["pyproject.toml", project["readme"], *project["license-files"]]
    needed += [*wheel["packages"], *wheel.get("force-include", {})]

    there = sources(STAGES["wheel"])

    assert [file for file in needed if not any(Path(file).is_relative_to(source) for source in there)] == []


def test_the_image_has_extras_that_exist() -> None:
    (said,) = (step.rest for step in STAGES["installed"].steps if step.rest.startswith("EXTRAS="))
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]

    assert set(said.removeprefix("EXTRAS=").split(",")) <= set(project["optional-dependencies"])


def test_machine_code_is_kept_where_workers_look_for_it_and_for_their_processors() -> None:
    made, used = STAGES["installed"].environ({}), IMAGE.environ({})

    for name in ("NUMBA_CACHE_DIR", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        assert made[name] == used[name], name
    (copied_code,) = (
        copied(step) for step in IMAGE.steps if step.word == "COPY" and made["NUMBA_CACHE_DIR"] in step.rest
    )
    assert copied_code.owner == IMAGE.last("USER").rest
    assert copied_code.sources == [copied_code.dest] == [made["NUMBA_CACHE_DIR"]]


def test_a_loop_that_is_compiled_for_the_image_is_taken_from_its_cache(tmp_path: Path) -> None:
    """Numba takes the processor that the image names, and finds there what another process compiled."""
    environ = {**STAGES["installed"].environ({}), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    (tmp_path / "loop.py").write_text(
        "from teravox.kernels.compiled import compiled\n"
        "def plus(a, b):\n    return a + b\n"
        "made = compiled(plus)\nmade(1, 2)\n"
        "print(sum(made.stats.cache_hits.values()), sum(made.stats.cache_misses.values()))\n"
    )

    said = [
        subprocess.run(
            [sys.executable, "loop.py"], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]

    assert said == [["0", "1"], ["1", "0"]]


def test_the_container_is_teravox_itself_and_nobody_s_root() -> None:
    assert IMAGE.last("ENTRYPOINT").words == ["teravox"]
    assert IMAGE.last("CMD").words == ["execute"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", IMAGE.last("USER").rest)
    assert shutil.which("find") is not None, "the probe needs it"


def test_the_settings_of_the_image_are_options_of_the_worker() -> None:
    said = {name for name in IMAGE.environ({}) if name.startswith("TERAVOX_")}

    assert said == {"TERAVOX_HEALTH_FILE"}
    assert said <= {field.variable for field in fields_of(Execute)}
