"""What a job chose by itself is said before it is done."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from cli.running import Run
from layers.make import make_layer, voxels

from teravox.pipeline.job import Job
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.say_shards import say_shards
from teravox.pipeline.registry import Registry

COMMANDS = {
    "create": ("create", "./a.npy", "./dest", "--resolution", "4,4,40", "--chunk-size", "8,8,8"),
    "reorder": ("image", "reorder", "./em", "./dest", "--mapping", "./order.csv", "--unlisted", "same"),
    "clahe": ("image", "contrast", "clahe", "./em", "./dest", "--tile-size", "8,8"),
    "ccl": ("image", "ccl", "auto", "./em", "./dest", "--threshold-gte", "100"),
    "transfer": ("image", "transfer", "./em", "./dest", "--num-mips", "1"),
    "shard": ("shard", "image", "./em", "./dest"),
}


@pytest.fixture(autouse=True)
def _sources(tmp_path: Path) -> None:
    array = voxels((40, 24, 16), "uint8")
    make_layer(tmp_path / "em", array)
    np.save(tmp_path / "a.npy", array[..., 0].T)
    (tmp_path / "order.csv").write_text("0,1\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_shards_are_as_they_were_said_to_be(run: Run, tmp_path: Path, name: str) -> None:
    words = [*COMMANDS[name], *(() if name == "shard" else ("--sharded",))]
    dry = run(*words, "--dry-run")
    assert (dry.code, (tmp_path / "dest").exists()) == (0, False)
    code, out, _ = run(*words)
    assert code == 0
    said = say_shards(Layer.open(str(tmp_path / "dest")))
    assert said
    assert out.splitlines()[: len(said)] == said
    chosen = [line.removeprefix("chosen").strip() for line in dry.out.splitlines() if line.startswith("chosen")]
    assert chosen == said
    assert run(*words, "--quiet").out == ""


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "shard"])
def test_nothing_is_said_where_nothing_was_chosen(run: Run, name: str) -> None:
    assert "chosen" not in run(*COMMANDS[name], "--dry-run").out
    assert "shard" not in run(*COMMANDS[name]).out


@pytest.mark.parametrize("name", list(Registry()))
def test_every_kind_that_shards_says_its_shards(name: str) -> None:
    kind = Registry().find(name)
    assert kind is not None
    if any(field.name == "sharded" for field in msgspec.structs.fields(kind)):
        assert kind.choices is not Job.choices
