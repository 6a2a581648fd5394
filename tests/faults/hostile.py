"""Messages and files that somebody hostile puts into a queue; none of them is a task that may run."""

from __future__ import annotations

import base64
import json
import os
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from teravox.pipeline import message

KIND = "drill"
PATHS = (
    "../../{name}",
    "/tmp/{name}",
    "..",
    "{name}/../../x",
    "~/{name}",
    "\\\\host\\{name}",
    "{name}\0.json",
    "C:\\x",
)
MODULES = ("os.system", "os", "subprocess.Popen", "builtins.eval", "__main__", "teravox.cli.main", "drill.Drill", "")
FIELDS = ("__class__", "__init__", "__reduce__", "run", "plugin", "module", "\x1b[2J", "x" * 5000)
WRONG: tuple[Any, ...] = (None, True, -1.5, 2**64, "x", [], {}, [[1]], {"a": 1}, "1", 10**400)


class Hostile:
    """Makes hostile files from a seed; what they would run or write carries the name of the canary."""

    def __init__(self, layer: str, outside: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.layer = layer
        self.outside = outside
        self.canary = outside / f"canary-{os.getpid()}-{seed}"
        self.job: dict[str, Any] = {"layer": layer, "count": 1_000_000, "seconds": 0.0}
        self.piece: dict[str, Any] = {"number": seed}
        self.good = forge(KIND, self.job, self.piece)

    def put(self, file: Path) -> None:
        """Make a hostile file of this name."""
        make = self.random.choice((*[self._bytes] * 6, self._link, self._folder, self._pipe))
        make(file)

    def _bytes(self, file: Path) -> None:
        makers: tuple[Callable[[], bytes], ...] = (
            *(self.flip, self.cut, self.insert, self.pickled, self.module, self.path_in_a_name, self.elsewhere),
            *(self.field, self.wrong_type, self.large, self.deep, self.twice, self.noise, self.another_id),
        )
        file.write_bytes(self.random.choice(makers)())

    def _link(self, file: Path) -> None:
        target = self.outside / "good.json"  # it would be a task, if links were followed
        target.write_bytes(forge(KIND, self.job, {"number": 0}))
        file.symlink_to(self.random.choice((target, Path("/etc/passwd"), Path("../../outside"), Path(file.name))))

    def _folder(self, file: Path) -> None:
        file.mkdir()

    def _pipe(self, file: Path) -> None:
        os.mkfifo(file)

    def flip(self) -> bytes:
        body = bytearray(self.good)
        body[self.random.randrange(len(body))] ^= self.random.randrange(1, 256)
        return bytes(body)

    def cut(self) -> bytes:
        return self.good[: self.random.randrange(len(self.good))]

    def insert(self) -> bytes:
        at = self.random.randrange(1, len(self.good))
        what = self.random.choice((b"\0", b"\xff\xfe", b"}", b'"', b"NaN", b"\\ud800", self.random.randbytes(9)))
        return self.good[:at] + what + self.good[at:]

    def noise(self) -> bytes:
        return self.random.randbytes(self.random.randrange(500))

    def pickled(self) -> bytes:
        bomb = pickle.dumps(Bomb(self.canary), protocol=self.random.randrange(6))
        text = base64.b64encode(bomb).decode()
        return self.random.choice(
            (bomb, forge(text, self.job, self.piece), forge(KIND, text, self.piece), forge(KIND, self.job, text))
        )

    def module(self) -> bytes:
        job = {"command": f"touch {self.canary}"}
        return forge(self.random.choice(MODULES), self.random.choice((job, self.job)), self.piece)

    def path_in_a_name(self) -> bytes:
        path = self.random.choice(PATHS).format(name=self.canary.name)
        return self.random.choice(
            (
                forge(path, self.job, self.piece),
                forge(KIND, self.job, self.piece, id=path),
                forge(KIND, self.job | {path: 1}, self.piece),
                forge(KIND, self.job, self.piece | {path: 1}),
                forge(KIND, self.job | {"layer": f"{self.layer}/../../{self.canary.name}"}, self.piece),
                forge(KIND, self.job | {"layer": f"{self.layer}\0"}, self.piece),
            )
        )

    def elsewhere(self) -> bytes:
        """A task that is sound, and would write where the operator does not allow it."""
        place = self.random.choice(
            (
                *(f"file://{self.canary}", str(self.canary), f"precomputed://file://{self.canary}", f" {self.canary}"),
                *(os.path.relpath(self.canary), f"{self.layer}-{self.canary.name}", f"FILE://{self.canary}"),
                *(f"s3://bucket/{self.canary.name}", f"//{self.canary}", "file:///", ""),
            )
        )
        return forge(KIND, self.job | {"layer": place}, self.piece)

    def field(self) -> bytes:
        name = self.random.choice(FIELDS)
        return self.random.choice(
            (
                forge(KIND, self.job, self.piece, **{name: 1}),
                forge(KIND, self.job | {name: 1}, self.piece),
                forge(KIND, self.job, self.piece | {name: 1}),
            )
        )

    def wrong_type(self) -> bytes:
        wrong = self.random.choice(WRONG)
        return self.random.choice(
            (
                forge(KIND, self.job, self.piece, v=wrong),
                forge(KIND, self.job, self.piece, kind=wrong),
                forge(KIND, wrong, self.piece),
                forge(KIND, self.job | {"layer": 1}, self.piece),
                forge(KIND, self.job | {"count": "many"}, self.piece),
                forge(KIND, self.job, {"number": [wrong]}),
            )
        )

    def large(self) -> bytes:
        size = self.random.choice((300_000, 10_000_000))
        return self.random.choice(
            (self.good[:-1] + b" " * size + b"}", b"[" * size, forge(KIND, self.job | {"x": "y" * size}, self.piece))
        )

    def deep(self) -> bytes:
        levels = self.random.choice((65, 5000, 100_000))
        inner = self.random.choice((b"[" * levels + b"]" * levels, b'{"a":' * levels + b"1" + b"}" * levels))
        return b'{"v":1,"kind":"drill","job":%s,"piece":{},"id":"x"}' % inner

    def twice(self) -> bytes:
        said = self.random.choice(('"kind":"os.system"', '"v":2', '"id":"x"', '"job":{}', '"piece":[]'))
        return self.good[:-1] + f",{said}}}".encode()

    def another_id(self) -> bytes:
        return forge(KIND, self.job, self.piece, id=f"{self.random.getrandbits(128):032x}")


class Bomb:
    """Unpickling this makes a file."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.canary}",)


def forge(kind: str, job: Any, piece: Any, /, **outside: Any) -> bytes:  # Any: whatever JSON can hold, and more
    """A message of anything, with the right id."""
    canonical = [msgspec.json.encode(msgspec.json.decode(json.dumps(part)), order="sorted") for part in (job, piece)]
    said = {"v": 1, "kind": kind, "job": job, "piece": piece, "id": message._hash(kind, *canonical)}
    return json.dumps(said | outside, separators=(",", ":")).encode()
