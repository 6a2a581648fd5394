"""Steps as they are typed, as files name them, and the functions behind their names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.make import make_layer
from learning.some_models import write_some_model
from numpy.typing import NDArray
from segmentation.segmenting import OWN, grey

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.segmentation.blocks import grow
from teravox.pipeline.segmentation.catalog import all_steps, say_default, say_type
from teravox.pipeline.segmentation.layer_input import LAYER_STEP
from teravox.pipeline.segmentation.plan import make_plan
from teravox.pipeline.segmentation.region import Everything
from teravox.pipeline.segmentation.running import Block, predict_block
from teravox.pipeline.segmentation.step_functions import bind, built_in, declare
from teravox.pipeline.segmentation.steps import (
    Step,
    Steps,
    parse_step,
    parse_steps,
    parse_steps_file,
    read_steps_file,
    say_steps,
)
from teravox.tasks.segment import Segment


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("none", [Step("none")]),
        ("a:x=1", [Step("a", {"x": 1})]),
        ("a:x=1,min-size=2.5,b", [Step("a", {"x": 1, "min_size": 2.5}), Step("b")]),
        ("my.lab:go:x=-1e3,y=true,b:z=[[0,0,-1],[2,3]]", [Step("my.lab:go", {"x": -1000.0, "y": True}), Step("b", {"z": [[0, 0, -1], [2, 3]]})]),
        ('a:x="1,2",y=s3://b/c,z=null', [Step("a", {"x": "1,2", "y": "s3://b/c", "z": None})]),
        ("my.lab:go", [Step("my.lab:go")]),
    ],
)  # fmt: skip
def test_steps_are_read_as_they_are_typed(text: str, steps: list[Step]) -> None:
    assert list(parse_steps(text)) == steps


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x=1", "expected the name of a step before its parameters"),
        ("a:x=1,x=2", "x is given twice to a"),
        ("a:x=[1", "as many closing brackets"),
        ("a,,b", "expected steps with commas between them"),
        ("", "expected steps with commas between them"),
        ("a:b:c", "expected KEY=VALUE after the name of a step, got 'c'"),
        ("a:x=[1,]", "is no list like"),
    ],
)
def test_what_is_no_step_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_steps(text)
    with pytest.raises(ValueError, match="expected one step"):
        parse_step("a,b")


words = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b-c", "my.lab:go"]),
            st.dictionaries(st.sampled_from(["x", "min_size", "path"]), values, max_size=3),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_what_is_said_of_steps_is_read_as_the_same(named: list[tuple[str, dict[str, Any]]]) -> None:
    steps = tuple(Step(name, parameters) for name, parameters in named)
    assert parse_steps(say_steps(steps)) == steps


TOML = """
[predict]
name = "membrane"
sigma = 2
model = "./m.onnx"

[[agglomerate]]
name = "mean-boundary"
threshold = 0.3

[[agglomerate]]
name = "size-filter"
min-size = 100
"""


def test_a_file_names_steps_in_toml_or_json(tmp_path: Path) -> None:
    (tmp_path / "steps.toml").write_text(TOML)
    steps = read_steps_file(str(tmp_path / "steps.toml"))
    assert steps == Steps(
        predict=Step("membrane", {"sigma": 2, "model": str(tmp_path / "m.onnx")}),
        agglomerate=(Step("mean-boundary", {"threshold": 0.3}), Step("size-filter", {"min_size": 100})),
    )
    said = '{"supervoxels": {"name": "slic", "n": 3}, "agglomerate": {"name": "none"}}'
    assert parse_steps_file(said, "x.json") == Steps(supervoxels=Step("slic", {"n": 3}), agglomerate=(Step("none"),))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[predikt]\nname='a'", r"unknown table \[predikt\]"),
        ("[predict]\nsigma=2", r"\[predict\] must be a table with name"),
        ("predict='a'", r"\[predict\] must be a table with name"),
        ("agglomerate=3", r"agglomerate must be tables"),
        ("[predict]\nname='a'\nx={y=1}", r"\[predict\] x must be a number"),
        ("[predict", "x is no TOML file"),
        ("{", "x is no JSON file"),
    ],
)
def test_a_file_that_names_no_steps_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_steps_file(text, "x")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xff")
    for name, sentence in (("gone", "cannot read"), ("bytes", "is no text")):
        with pytest.raises(ValueError, match=sentence):
            read_steps_file(str(tmp_path / name))


def typed(
    first: Any,
    second: Any,
    /,
    *,
    share: Annotated[float, "A share."] = 0.5,
    file: Annotated[Path | None, "A file."] = None,
    mode: Literal["low", "high"] = "low",
    offsets: tuple[tuple[int, int, int], ...] = (),
    **more: Any,
) -> dict[str, Any]:
    """Say what was given."""
    return {"share": share, "file": file, "mode": mode, "offsets": offsets, **more}


def test_parameters_are_what_annotations_say(monkeypatch: pytest.MonkeyPatch) -> None:
    import segmentation.own_steps as module

    typed.__module__ = OWN
    monkeypatch.setattr(module, "typed", typed, raising=False)
    given = {"share": 1, "file": "/a/b", "mode": "high", "offsets": [[0, 0, -1]], "else": 3}
    step = bind("predict", Step(f"{OWN}:typed", given), "--predict")
    assert step.parameters == {
        "share": 1.0, "file": Path("/a/b"), "mode": "high", "offsets": ((0, 0, -1),), "else": 3
    }  # fmt: skip
    assert isinstance(step.parameters["share"], float)
    assert msgspec.json.decode(msgspec.json.encode(step.said["parameters"])) == given
    for wrong, sentence in (
        ({"share": "much"}, "share of the step .* expected float, got str"),
        ({"file": "b"}, "write ./b for a file of this folder"),
        ({"mode": "middle"}, "mode of the step .* invalid enum value 'middle'"),
        ({"offsets": [[0, 1]]}, "offsets of the step .* expected array of length 3"),
    ):
        with pytest.raises(BadUsage, match=sentence):
            bind("predict", Step(f"{OWN}:typed", wrong), "--predict")


def test_every_built_in_step_is_listed_with_what_its_parameters_are_for() -> None:
    steps = [step for step in all_steps() if step.what != "your own"]
    assert {"layer", "distance-watershed", "mean-boundary", "none"} <= {step.name for step in steps}
    for step in steps:
        assert step.summary.endswith(".")
        for parameter in step.declared.parameters.values():
            assert parameter.text, f"{step.name}: {parameter.name} says nothing"
            assert say_type(parameter) not in ("anything", "")
            assert parameter.is_required or say_default(parameter)


def test_functions_of_modules_that_were_named_are_listed() -> None:
    assert f"{OWN}:blurred" in {step.name for step in all_steps() if step.what == "your own"}
    assert f"{OWN}:_private" not in {step.name for step in all_steps()}


def test_what_a_function_is_given_first_is_no_parameter() -> None:
    assert set(declare(typed).parameters) == {"share", "file", "mode", "offsets"}


NEEDED: dict[str, dict[str, Any]] = {
    "threshold": {"threshold": 100},
    "particles": {"threshold": 100.0, "opening": 1.0, "holes": 2.0},
}


@pytest.mark.parametrize("name", [name for name in built_in("predict") if name != "onnx"])
def test_neighbours_predict_the_same_where_both_look(tmp_path: Path, name: str) -> None:
    size = (44, 40, 30)
    values: NDArray[np.uint8] = grey(size, seed=4)
    source = make_layer(tmp_path / "em", values, chunk=(16, 16, 16), resolution=(4, 4, 8))
    job = Segment(
        source=source,
        dest=str(tmp_path / "p"),
        predict=Step(name, {"model": write_some_model(tmp_path)} if name == "classifier" else NEEDED.get(name, {})),
        output="probabilities",
        shape=(16, 16, 16),
    )
    plan = make_plan(job)
    whole = Box((0, 0, 0), size)
    everywhere = predict_block(Block(plan, 0, whole, whole), Everything(), None)
    for index in (0, 4, 13):
        core = plan.grid[index]
        read = grow(core, (5, 3, 2)).intersect(whole)
        found = predict_block(Block(plan, index, core, read), Everything(), None)
        (x0, y0, z0), (x1, y1, z1) = read.min, read.max
        np.testing.assert_array_equal(found, everywhere[z0:z1, y0:y1, x0:x1])
    assert name == LAYER_STEP or any(plan.chain.predict.margin(plan.zyx)) or name in ("invert", "threshold")
