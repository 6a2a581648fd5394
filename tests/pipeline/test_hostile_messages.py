"""Messages that a stranger wrote: whatever they say, they are refused, nothing runs and nothing is touched."""

from __future__ import annotations

import base64
import json
import os
import pickle
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pipeline.forge import JOB_JSON, PIECE_JSON, forge
from pipeline.kind_files import write_kind

from teravox.pipeline.errors import BadMessage
from teravox.pipeline.message import decode
from teravox.pipeline.registry import Registry

KIND = "trial-blur"
VALID = forge(KIND, JOB_JSON, PIECE_JSON)
PATHS = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "a/../../b",
    "\\\\host\\share",
    "file:///etc/passwd",
    "~/.ssh/id",
    "C:\\x",
]
MODULES = [
    "os.system",
    "os",
    "subprocess.Popen",
    "builtins.eval",
    "__main__",
    "teravox.cli.main",
    "trial_blur.Blur",
    "eval",
]
WRONG: list[Any] = [
    None,
    True,
    3,
    -1,
    1.5,
    2**64,
    -(2**63) - 1,
    "x",
    "",
    [],
    {},
    [[]],
    [1, 2],
    [1, 2, 3, 4],
    {"a": 1},
    [None] * 3,
]


class Bomb:
    """Unpickling this runs a command."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.marker}",)


def flip(rng: random.Random, _: Path) -> bytes:
    body = bytearray(VALID)
    at = rng.randrange(len(body))
    body[at] ^= rng.randrange(1, 256)
    return bytes(body)


def cut(rng: random.Random, _: Path) -> bytes:
    return VALID[: rng.randrange(len(VALID))]


def remove(rng: random.Random, _: Path) -> bytes:
    at = rng.randrange(len(VALID) - 1)
    return VALID[:at] + VALID[at + rng.randrange(1, 20) :]


def insert(rng: random.Random, _: Path) -> bytes:
    at = rng.randrange(1, len(VALID))
    return (
        VALID[:at]
        + rng.choice([rng.randbytes(8), b"\0", b"\xff\xfe", b"}", b"]", b'"', b"NaN", b"\\ud800"])
        + VALID[at:]
    )


def noise(rng: random.Random, _: Path) -> bytes:
    return rng.randbytes(rng.randrange(300))


def pickled(rng: random.Random, marker: Path) -> bytes:
    bomb = pickle.dumps(Bomb(marker), protocol=rng.randrange(6))
    text = base64.b64encode(bomb).decode()
    return rng.choice(
        [
            bomb,
            b'{"py/object": "os.system", "py/reduce": "%s"}' % text.encode(),
            forge(KIND, JOB_JSON | {"method": text}, PIECE_JSON),
            forge(text, JOB_JSON, PIECE_JSON),
            forge(KIND, text, PIECE_JSON),
        ]
    )


def path_in_a_name(rng: random.Random, _: Path) -> bytes:
    path = rng.choice(PATHS) + rng.choice(["", "\0", "\0.json", "/"])
    return rng.choice(
        [
            forge(path, JOB_JSON, PIECE_JSON),
            forge(KIND, JOB_JSON, PIECE_JSON, id=path),
            forge(KIND, JOB_JSON | {path: 1}, PIECE_JSON),
            forge(KIND, JOB_JSON, PIECE_JSON | {path: 1}),
            forge(KIND, JOB_JSON | {"method": path}, PIECE_JSON),
            forge(KIND, JOB_JSON | {"source": path + "\0"}, PIECE_JSON),
        ]
    )


def module_as_kind(rng: random.Random, _: Path) -> bytes:
    return forge(rng.choice(MODULES), JOB_JSON, PIECE_JSON, **rng.choice([{}, {"module": "os"}, {"plugin": "os"}]))


def huge_number(rng: random.Random, _: Path) -> bytes:
    number = rng.choice(
        ["1e400", "-1e400", "9" * 400, "1" + "0" * 5000, "-" + "9" * 30, "0" * 50 + "1", "1e-400x", "0x10"]
    )
    field = rng.choice([b'"source":', b'"dest":', b'"min":', b'"max":', b'"v":', b'"id":'])
    at = VALID.index(field) + len(field)
    return VALID[:at] + number.encode() + b"," + VALID[at:]


def too_large(rng: random.Random, _: Path) -> bytes:
    size = rng.choice([300_000, 10_000_000])
    return rng.choice(
        [
            b" " * size,
            VALID[:-1] + b" " * size + b"}",
            b"[" * size,
            b'"' * size,
            forge(KIND, JOB_JSON | {"x": "y" * size}, {}),
        ]
    )


def deep(rng: random.Random, _: Path) -> bytes:
    levels = rng.choice([65, 200, 100_000])
    inner = rng.choice([b"[" * levels + b"]" * levels, b'{"a":' * levels + b"1" + b"}" * levels, b"[" * levels])
    return b'{"v":1,"kind":"%s","job":%s,"piece":{},"id":"x"}' % (KIND.encode(), inner)


def surrogate(rng: random.Random, _: Path) -> bytes:
    bad = rng.choice(
        [b"\\ud800", b"\\udfff\\ud800", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80", b"\\u12", b"\\x41"]
    )
    return VALID.replace(rng.choice([b"./em", b"./seg", KIND.encode(), b"source"]), bad, 1)


def same_key_twice(rng: random.Random, _: Path) -> bytes:
    field = rng.choice(['"kind":"os.system"', '"v":2', '"id":"x"', '"job":{}', '"piece":[]'])
    return VALID[:-1] + f",{field}}}".encode()


def wrong_type(rng: random.Random, _: Path) -> bytes:
    wrong = rng.choice(WRONG)
    return rng.choice(
        [
            forge(KIND, JOB_JSON, PIECE_JSON, v=wrong),
            forge(KIND, JOB_JSON, PIECE_JSON, kind=wrong),
            forge(KIND, JOB_JSON, PIECE_JSON, id=wrong),
            forge(KIND, wrong, PIECE_JSON),
            forge(KIND, JOB_JSON, wrong),
            forge(KIND, JOB_JSON | {"method": wrong}, PIECE_JSON),
            forge(KIND, JOB_JSON | {"bounds": wrong or 0}, PIECE_JSON),
            forge(KIND, JOB_JSON, PIECE_JSON | {"min": wrong}),
            json.dumps(wrong).encode(),
        ]
    )


def unknown_field(rng: random.Random, _: Path) -> bytes:
    name = rng.choice(["__class__", "__init__", "run", "cls", "\x1b[2J", "x" * 1000, "", "Source", "source "])
    return rng.choice(
        [
            forge(KIND, JOB_JSON, PIECE_JSON, **{name: 1}),
            forge(KIND, JOB_JSON | {name: 1}, PIECE_JSON),
            forge(KIND, JOB_JSON, PIECE_JSON | {name: 1}),
        ]
    )


MAKERS = [
    flip,
    cut,
    remove,
    insert,
    noise,
    pickled,
    path_in_a_name,
    module_as_kind,
    huge_number,
    too_large,
    deep,
    surrogate,
    same_key_twice,
    wrong_type,
    unknown_field,
]

watched: list[str] | None = None


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Notes what the interpreter is asked to do to the world outside."""
    if watched is not None and event.partition(".")[0] in {
        "open",
        "os",
        "import",
        "exec",
        "compile",
        "pickle",
        "marshal",
        "subprocess",
        "socket",
        "shutil",
        "tempfile",
        "ctypes",
        "glob",
    }:
        watched.append(event)


sys.addaudithook(watch)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry([write_kind(tmp_path / "trial_blur.py")])
    assert decode(VALID, registry).kind == KIND
    return registry


def test_the_watch_sees_files_and_imports() -> None:
    global watched  # noqa: PLW0603 - an audit hook stays for ever, so it is told when to listen
    watched = []
    Path("/nowhere").exists()
    with pytest.raises(FileNotFoundError):
        open("/nowhere/x")  # noqa: PTH123, SIM115 - it is not there
    pickle.loads(pickle.dumps(Registry))
    seen, watched = watched, None
    assert {"open", "pickle.find_class"} <= set(seen)


@pytest.mark.parametrize("maker", MAKERS)
def test_hostile_messages_are_refused_and_do_nothing(
    maker: Callable[[random.Random, Path], bytes], registry: Registry, tmp_path: Path
) -> None:
    global watched  # noqa: PLW0603 - an audit hook stays for ever, so it is told when to listen
    marker = tmp_path / "escaped"
    modules = set(sys.modules)
    files = sorted(tmp_path.rglob("*"))
    for seed in range(40):
        body = maker(random.Random(f"{maker.__name__} {seed}"), marker)
        watched = []
        try:
            with pytest.raises(BadMessage) as error:
                decode(body, registry)
        finally:
            seen, watched = watched, None
        assert seen == [], (seed, body[:200])
        assert str(error.value).isprintable() and len(str(error.value)) < 1000, (seed, body[:200])
    assert set(sys.modules) == modules
    assert sorted(tmp_path.rglob("*")) == files
