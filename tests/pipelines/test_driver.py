"""Steps are done in order, each once; what is done stays done, what has changed is done again with all that follows."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipelines.at_once import Bench, drive
from pipelines.trial_kind import PIECES, brewed, held, say_toml, write_plugin

from teravox.pipeline.pipelines import claim
from teravox.pipeline.pipelines.drive import Driver
from teravox.pipeline.storage.file_store import FileStore

Steps = dict[str, dict[str, Any]]

DIAMOND: Steps = {
    "a": {"value": 1},
    "b": {"value": 2, "after": ["a"]},
    "c": {"value": 3, "after": ["a"]},
    "d": {"value": 4, "after": ["b", "c"]},
    "e": {"value": 5},
}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "SHORTEST", 0.0)
    monkeypatch.setattr(claim, "SETTLE", 0)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(write_plugin(tmp_path_factory.mktemp("plugin")))


@pytest.fixture
def run(bench: Bench, tmp_path: Path) -> Callable[..., Counter[str]]:
    """Runs steps to their end: how many tasks of each were done."""

    def run(steps: Steps, **more: Any) -> Counter[str]:
        bench.log.clear()
        bench.run(write(tmp_path, steps), **more)
        return Counter(bench.log)

    return run


def write(folder: Path, steps: Steps) -> str:
    path = folder / "pipeline.toml"
    path.write_text(say_toml(folder, steps))
    return str(path)


def changed(steps: Steps, name: str, **options: Any) -> Steps:
    return {**steps, name: {**steps[name], **options}}


def wanted(steps: Steps) -> dict[str, list[str]]:
    return brewed(
        {name: step["value"] for name, step in steps.items()},
        {name: step.get("after", []) for name, step in steps.items()},
    )


def after_all(steps: Steps, name: str) -> set[str]:
    """A step and all that wait for it."""
    found = {name}
    for _ in steps:
        found |= {other for other, step in steps.items() if found & set(step.get("after", []))}
    return found


@st.composite
def graphs(draw: st.DrawFn) -> Steps:
    """Steps that wait for any of those before them, in a shuffled file."""
    number = draw(st.integers(1, 6))
    steps: Steps = {}
    for n in range(number):
        before = draw(st.lists(st.integers(0, n - 1), unique=True, max_size=3)) if n else []
        steps[f"s{n}"] = {"value": draw(st.integers(1, 3)), "after": [f"s{m}" for m in before]}
    names = draw(st.permutations(list(steps)))
    return {name: steps[name] for name in names}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=graphs(), choice=st.randoms(use_true_random=False))
def test_each_step_is_done_once_and_after_what_it_waits_for_and_again_when_that_changes(
    bench: Bench, tmp_path: Path, steps: Steps, choice: random.Random
) -> None:
    for name in steps:
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    bench.log.clear()
    bench.run(write(tmp_path, steps))
    assert Counter(bench.log) == dict.fromkeys(steps, PIECES)
    for name, step in steps.items():
        last = max((len(bench.log) - bench.log[::-1].index(other) for other in step["after"]), default=0)
        assert last <= bench.log.index(name)
    assert held(tmp_path, list(steps)) == wanted(steps)
    bench.log.clear()
    bench.run(write(tmp_path, steps))
    assert bench.log == []
    name = choice.choice(list(steps))
    other = changed(steps, name, value=9)
    bench.run(write(tmp_path, other))
    assert Counter(bench.log) == dict.fromkeys(after_all(steps, name), PIECES)
    assert held(tmp_path, list(steps)) == wanted(other)


def test_a_parameter_that_is_changed_back_is_done_again(run: Callable[..., Counter[str]], tmp_path: Path) -> None:
    run(DIAMOND)
    assert run(changed(DIAMOND, "b", value=7)) == {"b": PIECES, "d": PIECES}
    assert run(DIAMOND) == {"b": PIECES, "d": PIECES}
    assert held(tmp_path, list(DIAMOND)) == wanted(DIAMOND)
    assert run(DIAMOND) == {}


def test_steps_that_write_to_other_folders_of_a_layer_leave_each_other_alone(
    bench: Bench, run: Callable[..., Counter[str]], tmp_path: Path
) -> None:
    run({"a": {"value": 1}})
    text = say_toml(tmp_path, {"a": {"value": 1}})
    more = f'[[step]]\nname="b"\ndo="brew"\nlayer="{tmp_path}/a"\npart="more"\nvalue={{}}\n'
    for value, done in ((1, 2), (2, 2), (1, 2), (1, 0)):
        bench.log.clear()
        (tmp_path / "pipeline.toml").write_text(text + more.format(value))
        bench.run(str(tmp_path / "pipeline.toml"))
        assert len(bench.log) == done


def test_a_step_is_done_again_on_demand_and_then_those_that_wait_for_it(
    run: Callable[..., Counter[str]],
) -> None:
    run(DIAMOND)
    assert run(DIAMOND, redo={"c"}) == {"c": PIECES, "d": PIECES}
    assert run(DIAMOND) == {}
    assert run(DIAMOND, redo={"c"}) == {"c": PIECES, "d": PIECES}


def test_a_layer_that_is_gone_is_made_again(run: Callable[..., Counter[str]], tmp_path: Path) -> None:
    run(DIAMOND)
    shutil.rmtree(tmp_path / "b")
    assert run(DIAMOND) == {"b": PIECES}
    assert held(tmp_path, list(DIAMOND)) == wanted(DIAMOND)


def test_steps_that_were_not_asked_for_are_left_out_and_what_needs_them_is_not_begun(
    bench: Bench, tmp_path: Path
) -> None:
    driver = bench.run(write(tmp_path, DIAMOND), wanted={"a", "d"})
    assert {step.name: step.state for step in driver.steps} == {
        "a": "done",
        "b": "left",
        "c": "left",
        "d": "left",
        "e": "left",
    }
    assert not (tmp_path / "d").exists()


def test_what_a_step_refuses_ends_it_and_those_after_it_alone(bench: Bench, tmp_path: Path) -> None:
    driver = bench.run(write(tmp_path, changed(DIAMOND, "b", value=-1)))
    assert {step.name: step.state for step in driver.steps} == {
        "a": "done",
        "b": "failed",
        "c": "done",
        "d": "left",
        "e": "done",
    }
    assert driver.steps[1].note == "--value: is below zero"


def test_the_job_of_a_command_is_taken_over_where_it_needs_nothing_of_the_pipeline(
    bench: Bench, run: Callable[..., Counter[str]], tmp_path: Path
) -> None:
    run({"a": {"value": 1}, "b": {"value": 2, "after": ["a"]}})
    for name in ("a", "b"):
        (stamp,) = (tmp_path / name).glob("ledger/*/stamp.json")
        stamp.unlink()  # as plain commands leave it
    assert run({"a": {"value": 1}, "b": {"value": 2, "after": ["a"]}}) == {"b": PIECES}


class Killed(BaseException):
    """The process of a driver is gone."""


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Counts writes and removals down, and kills whoever takes the last one; before it or after it."""
    count = {"left": -1, "seen": 0, "late": 0}

    def counting(name: str) -> None:
        real = getattr(FileStore, name)

        def counted(*args: Any, **options: Any) -> Any:
            count["seen"] += 1
            count["left"] -= 1
            if count["left"] == 0:
                if count["late"]:
                    real(*args, **options)
                raise Killed
            return real(*args, **options)

        monkeypatch.setattr(FileStore, name, counted)

    for name in ("put", "delete", "append"):
        counting(name)
    return count


def test_a_driver_may_be_killed_at_any_write_and_the_next_one_makes_the_same(
    bench: Bench, tmp_path: Path, kill: dict[str, int]
) -> None:
    old: Steps = {"a": {"value": 1}, "b": {"value": 2, "after": ["a"]}}
    new = changed(old, "a", value=3)
    bench.run(write(tmp_path, old))
    shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-old"))
    kill.update(seen=0)
    bench.run(write(tmp_path, new))
    for write_number in range(1, kill["seen"] + 1):
        shutil.rmtree(tmp_path)
        shutil.copytree(tmp_path.with_name(f"{tmp_path.name}-old"), tmp_path)
        driver = bench.driver(write(tmp_path, new))
        kill.update(left=write_number, late=write_number % 2)
        with pytest.raises(Killed):
            drive(driver)
        kill.update(left=-1)
        bench.now += 2 * claim.STALE  # its claims are not renewed any more
        following = bench.driver(write(tmp_path, new))
        following.advance()
        bench.now += 2 * claim.STALE
        drive(following)
        assert held(tmp_path, ["a", "b"]) == wanted(new), f"killed at write {write_number}"
        bench.log.clear()
        bench.run(write(tmp_path, new))
        assert bench.log == []


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=st.lists(st.integers(0, 2), max_size=60), data=graphs())
def test_drivers_at_the_same_time_do_nothing_twice(bench: Bench, tmp_path: Path, turns: list[int], data: Steps) -> None:
    for name in data:
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    bench.log.clear()
    path = write(tmp_path, data)
    drivers = [bench.driver(path) for _ in range(3)]
    for turn in turns:
        _one_move(drivers[turn])
    for driver in drivers:
        driver.close()
    while not all(driver.is_over for driver in drivers):
        for driver in drivers:
            _one_move(driver)
            if driver.is_over:
                driver.close()
    assert held(tmp_path, list(data)) == wanted(data)
    assert Counter(bench.log) == dict.fromkeys(data, PIECES)


def _one_move(driver: Driver) -> None:
    """What a driver does before another one has its turn."""
    for step in driver.steps:
        if not step.is_over and driver._go_on(step, begin=True):
            return
