"""A kind whose results tell what they were made of, for pipelines of any form; written as a plugin where tests need one."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PIECES = 2
KIND = '''"""A kind whose results tell what they were made of."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.options import Layer, says
from teravox.pipeline.storage.open import open_store


class Brew(Job[Box], frozen=True):
    """Write a file for each of some pieces, made of a value and of all that other layers hold."""

    layer: Layer
    value: Annotated[int, says("What it is made of.")] = 0
    reads: Annotated[tuple[str, ...], says("Layers to read.", form="layer")] = ()
    part: Annotated[str, says("Folder within the layer.")] = "out"
    number: Annotated[int, says("How many pieces.")] = 2
    breaks: Annotated[int, says("The piece that fails until the layer holds a file `mended`.")] = -1
    slow: Annotated[float, says("Seconds that a piece takes.")] = 0.0
    waits: Annotated[bool, says("Whether the last piece waits until the layer holds a file `open`.")] = False
    asks: Annotated[bool, says("Whether it asks first.")] = False

    def prepare(self) -> None:
        if self.value < 0:
            raise BadUsage("--value: is below zero")
        open_store(self.layer).put("prepared", b"")

    def pieces(self) -> Sequence[Box]:
        if self.value == 666:
            raise BadUsage("--value: is the number of the beast")
        return Grid(Box((0, 0, 0), (self.number, 1, 1)), (1, 1, 1))

    def memory(self, piece: Box) -> int:
        return 1

    def outputs(self, piece: Box) -> Sequence[str]:
        return [f"{self.part}/{piece.min[0]}"]

    def run(self, piece: Box) -> None:
        store = open_store(self.layer)
        if piece.min[0] == self.breaks and store.get("mended") is None:
            raise BadInput("the pot is cracked")
        time.sleep(self.slow)
        while self.waits and piece.min[0] == self.number - 1 and store.get("open") is None:
            time.sleep(0.01)
        whole = hashlib.sha256(f"{self.value} {piece.min[0]}".encode())
        for layer in self.reads:
            source = open_store(layer)
            for key in sorted(source.list("out/")):
                whole.update(source.get(key) or b"")
        store.put(f"{self.part}/{piece.min[0]}", whole.hexdigest().encode())
        if self.layer.startswith("file://"):
            with (Path(self.layer.removeprefix("file://")) / "runs").open("a") as file:
                file.write(f"{piece.min[0]} ")

    def question(self) -> str | None:
        return "This spills what is in the pot." if self.asks else None

    def finish(self) -> None:
        open_store(self.layer).put("finished", b"")
'''


def write_plugin(folder: Path) -> str:
    """The path of a plugin with the kind `brew`; that of an earlier test is forgotten."""
    sys.modules.pop("brew", None)
    path = folder / "brew.py"
    path.write_text(KIND)
    return str(path)


def brewed(values: Mapping[str, int], after: Mapping[str, Sequence[str]], pieces: int = PIECES) -> dict[str, list[str]]:
    """What each layer must hold in the end: each made of its value and of the layers that it reads, in their order."""
    found: dict[str, list[str]] = {}
    left = list(values)
    while left:
        name = next(each for each in left if found.keys() >= set(after[each]))
        left.remove(name)
        found[name] = [_brew(values[name], piece, [found[other] for other in after[name]]) for piece in range(pieces)]
    return found


def held(folder: Path, names: Sequence[str]) -> dict[str, list[str]]:
    """What the layers hold."""
    return {name: [path.read_text() for path in sorted((folder / name / "out").iterdir())] for name in names}


def runs(folder: Path, name: str) -> int:
    """How many pieces of a layer were done, repeats among them."""
    file = folder / name / "runs"
    return len(file.read_text().split()) if file.exists() else 0


def say_toml(folder: Path, steps: Mapping[str, Mapping[str, Any]]) -> str:
    """A pipeline file of brews; `after` of a step are the layers that it reads."""
    lines = []
    for name, options in steps.items():
        after = list(options.get("after", []))
        lines += ["[[step]]", f'name = "{name}"', 'do = "brew"', f'layer = "{folder}/{name}"', f"after = {after}"]
        lines.append(f"reads = {[f'{folder}/{other}' for other in after]}")
        more = {key: value for key, value in options.items() if key != "after"}
        lines += [f"{key} = {str(value).lower()}" for key, value in more.items()]
    return "\n".join(lines) + "\n"


def _brew(value: int, piece: int, reads: Sequence[Sequence[str]]) -> str:
    whole = hashlib.sha256(f"{value} {piece}".encode())
    for layer in reads:
        for text in layer:
            whole.update(text.encode())
    return whole.hexdigest()
