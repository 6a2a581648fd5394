from __future__ import annotations

import importlib
import inspect
import sys
import typing
from pathlib import Path

import numpy as np
import pytest

import teravox.kernels.segmentation as steps
from teravox.kernels.segmentation.step import gives, looks_around, takes

FILES = sorted(
    file
    for kind in ("predict", "supervoxels", "agglomerate")
    for file in (Path(steps.__file__).parent / kind).glob("[!_]*.py")
)


def test_facts_are_told_with_the_steps_own_defaults() -> None:
    @takes(lambda *, size, **_: 2.0 * size)
    @looks_around(lambda *, size, resolution: (size, size, int(resolution[2])))
    @gives(lambda *, size, **_: size + 1)
    def step(one: int, *, size: int = 3, resolution: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> int:
        return one + size + len(resolution)

    assert step(1) == 7
    assert vars(step)["memory"]() == 6
    assert vars(step)["memory"](size=5) == 10
    assert vars(step)["margin"](resolution=(4.0, 4.0, 2.0)) == (3, 3, 2)
    assert vars(step)["channels"]() == 4


def test_what_a_step_needs_is_named_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    step = importlib.import_module("teravox.kernels.segmentation.agglomerate.waterz").agglomerate
    monkeypatch.setitem(sys.modules, "waterz", None)  # as importing what is not there
    with pytest.raises(ValueError, match=r"pip install 'teravox\[waterz\]'"):
        step(np.zeros((1, 2, 3, 1), np.float32), np.ones((1, 2, 3), np.uint32))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_built_in_is_one_function_that_says_what_it_does_and_takes(file: Path) -> None:
    kind = file.parent.name
    module = importlib.import_module(f"teravox.kernels.segmentation.{kind}.{file.stem}")
    step = getattr(module, kind)
    public = [
        name for name, one in vars(module).items() if inspect.isfunction(one) and one.__module__ == module.__name__
    ]
    assert [name for name in public if not name.startswith("_")] == [kind]
    assert inspect.getdoc(step)
    assert "memory" in vars(step)
    own = [one for one in inspect.signature(step).parameters.values() if one.kind is one.KEYWORD_ONLY]
    filled_in = {"resolution", "corner", "kept"}
    kinds_of_options = typing.get_type_hints(step, include_extras=True)
    for parameter in own:
        described = typing.get_origin(kinds_of_options[parameter.name]) is typing.Annotated
        assert parameter.name in filled_in or described
    assert len(own) == len(inspect.signature(step).parameters) - 2
