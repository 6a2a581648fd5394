from __future__ import annotations

import json
from pathlib import Path

import pytest

from teravox.pipeline.errors import BadInput
from teravox.pipeline.planning.plan_file import PlanFile, PlannedStep, decode_plan, encode_plan, read_plan


def a_plan() -> PlanFile:
    return PlanFile(
        made="2026-01-01T00:00:00+00:00",
        version="1.2.3",
        steps=(
            PlannedStep(name="a", kind="image downsample", tasks=3, memory=5, bytes_in=7, known=True),
            PlannedStep(name="b", kind="mesh merge", why="known after a"),
        ),
        workers=8,
        memory=5,
        details={"rate of image downsample": "built in"},
    )


def test_a_plan_comes_back_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(encode_plan(a_plan()))

    assert read_plan(str(tmp_path / "plan.json")) == a_plan()


def test_what_is_not_known_is_null_with_a_reason() -> None:
    said = json.loads(encode_plan(a_plan()))

    assert said["form"] == "teravox plan 1"
    assert said["steps"][1]["tasks"] is None
    assert said["steps"][1]["why"] == "known after a"
    assert said["wall_seconds"] is None


@pytest.mark.parametrize("change", [{"form": "teravox plan 2"}, {"workers": 0}, {"steps": [{"name": "a"}]}])
def test_another_form_is_refused(change: dict[str, object]) -> None:
    said = json.loads(encode_plan(a_plan())) | change

    with pytest.raises(BadInput, match=r"here is not a plan of teravox.*teravox plan"):
        decode_plan(json.dumps(said).encode(), "here")


def test_fields_of_later_versions_are_passed_over() -> None:
    said = json.loads(encode_plan(a_plan())) | {"weather": "fine"}

    assert decode_plan(json.dumps(said).encode(), "here") == a_plan()


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--output"):
        read_plan(str(tmp_path / "plan.json"))
