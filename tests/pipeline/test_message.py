from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline.forge import JOB_JSON, PIECE_JSON, forge
from pipeline.kind_files import write_kind

from teravox.pipeline import message
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadMessage
from teravox.pipeline.job import AnyJob
from teravox.pipeline.message import MOST_BYTES, MOST_DEPTH, decode, depth, encode, job_id, open_envelope, task_id
from teravox.pipeline.registry import Registry

GOLDEN = Path(__file__).parent.parent / "golden/messages"
KIND = "trial-blur"
PIECE = Box((0, 0, 0), (4, 4, 4))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry([write_kind(tmp_path / "trial_blur.py")])


@pytest.fixture
def job(registry: Registry) -> AnyJob:
    return make_job(registry, source="./em", dest="./seg")


def make_job(registry: Registry, **fields: Any) -> AnyJob:
    kind = registry.find(KIND)
    assert kind is not None
    return kind(**fields)


def body_of(job: AnyJob, piece: msgspec.Struct = PIECE) -> bytes:
    (entry,) = encode(KIND, job, [piece])
    return entry.body


def test_a_task_comes_back_as_it_was_sent(registry: Registry, job: AnyJob) -> None:
    entries = list(encode(KIND, job, job.pieces()))
    assert len({entry.id for entry in entries}) == len(entries) == 27
    for entry, piece in zip(entries, job.pieces(), strict=True):
        task = decode(entry.body, registry)
        assert (task.id, task.kind, task.job, task.piece) == (entry.id, KIND, job, piece)
        assert task.id == task_id(KIND, job, piece)
        assert task.job_id == job_id(KIND, job)


def test_a_message_says_what_the_design_says(job: AnyJob) -> None:
    said = json.loads(body_of(job))
    assert list(said) == ["v", "kind", "job", "piece", "id"]
    assert (said["v"], said["kind"], said["piece"]) == (1, KIND, PIECE_JSON)
    assert said["job"] == {
        "bounds": None,
        "dest": "./seg",
        "factor": [2, 2, 1],
        "labels": [],
        "method": "mean",
        "sigma": 1.5,
        "source": "./em",
    }


def test_ids_are_the_same_for_ever(job: AnyJob) -> None:
    assert job_id(KIND, job) == "c4477fe9f4fbc6677b53683b6b7f7996"
    assert task_id(KIND, job, PIECE) == "5cbd8c2ed7ead4dab33626e12f0329fd"


def test_ids_differ_by_kind_job_and_piece(registry: Registry, job: AnyJob) -> None:
    other = make_job(registry, source="./em", dest="./seg", sigma=2.5)
    ids = {
        task_id(KIND, job, PIECE),
        task_id("another", job, PIECE),
        task_id(KIND, other, PIECE),
        task_id(KIND, job, PIECE.shift((1, 0, 0))),
        job_id(KIND, job),
    }
    assert len(ids) == 5
    assert all(message.ID.fullmatch(id) for id in ids)


def test_a_whole_number_and_its_fraction_name_the_same_job(registry: Registry) -> None:
    whole, fraction = (make_job(registry, source="./em", dest="./seg", sigma=sigma) for sigma in (2, 2.0))
    assert job_id(KIND, whole) == job_id(KIND, fraction)
    assert body_of(whole) == body_of(fraction)


def test_order_and_space_in_a_message_change_nothing(registry: Registry, job: AnyJob) -> None:
    said = json.loads(body_of(job))
    shuffled = {key: said[key] for key in reversed(said)} | {"job": dict(reversed(said["job"].items()))}
    assert decode(json.dumps(shuffled, indent=3).encode(), registry) == decode(body_of(job), registry)


def test_a_message_without_the_fields_that_have_defaults_is_taken(registry: Registry, job: AnyJob) -> None:
    assert decode(forge(KIND, JOB_JSON, PIECE_JSON), registry).job == job


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "os.system"}, "unknown kind 'os.system'; a kind of your own needs --plugin on the worker too"),
        ({"kind": "k" * 5000}, "unknown kind 'kkk"),
        ({"v": 2}, "message version 2; this teravox knows version 1"),
        ({"v": 0}, "message version 0"),
        ({"v": True}, "Expected `int`, got `bool` - at `$.v`"),
        ({"kind": 3}, "Expected `str`, got `int` - at `$.kind`"),
        ({"extra": 1}, "unknown field `extra`"),
        ({"id": "0" * 32}, "the id '00000000000000000000000000000000' is not the hash of the message"),
        ({"id": "../../../etc/passwd"}, "the id '../../../etc/passwd' is not the hash"),
        (
            {"job": JOB_JSON | {"sigm": 2}},
            "the job of this 'trial-blur' task is wrong: Object contains unknown field `sigm`",
        ),
        ({"job": JOB_JSON | {"sigma": -1}}, "Expected `float` >= 0.0 - at `$.sigma`"),
        ({"job": JOB_JSON | {"sigma": "2"}}, "Expected `float`, got `str` - at `$.sigma`"),
        ({"job": JOB_JSON | {"method": "nonsense"}}, "Invalid enum value 'nonsense' - at `$.method`"),
        ({"job": JOB_JSON | {"factor": [1, 2]}}, "Expected `array` of length 3 - at `$.factor`"),
        (
            {"job": JOB_JSON | {"factor": [1, 2, 2**70]}},
            "this 'trial-blur' task holds a number of more than 64 bits",
        ),
        ({"job": JOB_JSON | {"source": "./em\0.txt"}}, "this 'trial-blur' task holds a text with a NUL"),
        ({"job": {"dest": "./seg"}}, "missing required field `source`"),
        ({"job": [1]}, "Expected `object`, got `array`"),
        (
            {"piece": PIECE_JSON | {"mip": 1}},
            "the piece of this 'trial-blur' task is wrong: Object contains unknown field `mip`",
        ),
        ({"piece": {"min": [0, 0, 0]}}, "missing required field `max`"),
        ({"piece": {"min": [0, 0, 0.5], "max": [1, 1, 1]}}, "Expected `int`, got `float` - at `$.min[2]`"),
        ({"piece": None}, "Expected `object`, got `null`"),
    ],
)
def test_what_is_wrong_with_a_message_is_named(registry: Registry, change: dict[str, Any], said: str) -> None:
    inside = {
        name: change.get(name, value) for name, value in (("kind", KIND), ("job", JOB_JSON), ("piece", PIECE_JSON))
    }
    outside = {name: value for name, value in change.items() if name not in inside}
    body = forge(inside["kind"], inside["job"], inside["piece"], **outside)
    with pytest.raises(BadMessage) as error:
        decode(body, registry)
    assert said in str(error.value)
    assert len(str(error.value)) < 500


def test_a_message_that_was_changed_is_refused(registry: Registry, job: AnyJob) -> None:
    body = body_of(job).replace(b'"sigma":1.5', b'"sigma":9.5')
    with pytest.raises(BadMessage, match="is not the hash of the message: it was changed on its way"):
        decode(body, registry)


def test_what_a_stranger_wrote_cannot_steer_a_terminal(registry: Registry) -> None:
    body = forge(KIND, JOB_JSON | {"\x1b[2J\r\nERROR \u202e": 1}, PIECE_JSON)
    with pytest.raises(BadMessage) as error:
        decode(body, registry)
    assert str(error.value).isprintable()


def test_a_message_is_read_up_to_its_limit_of_size(registry: Registry) -> None:
    def padded(size: int) -> bytes:
        body = forge(KIND, JOB_JSON, PIECE_JSON)
        return body[:-1] + b" " * (size - len(body)) + b"}"

    assert decode(padded(MOST_BYTES), registry).kind == KIND
    with pytest.raises(BadMessage, match=r"the message has 262,145 bytes; at most 262,144 are read"):
        decode(padded(MOST_BYTES + 1), registry)
    with pytest.raises(BadMessage, match="the message is empty"):
        decode(b"", registry)


def test_a_task_too_large_for_a_message_is_refused_at_the_door(registry: Registry) -> None:
    job = make_job(registry, source="./em", dest="./seg", labels=tuple(range(10**9, 10**9 + 30_000)))
    with pytest.raises(
        BadMessage, match=r"would be 330,\d\d\d bytes, and a message holds at most 262,144: put long lists"
    ):
        body_of(job)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sigma": -1.0}, "this Blur cannot be a message: Expected `float` >= 0.0 - at `$.sigma`"),
        ({"factor": (1, 2)}, "Expected `array` of length 3 - at `$.factor`"),
        ({"sigma": float("nan")}, "Expected `float`, got `null`"),
        ({"source": "./em\0"}, "this Blur cannot be a message: it holds a text with a NUL"),
        ({"labels": (2**64,)}, "it holds a number of more than 64 bits"),
        ({"source": "\udcff"}, "this Blur cannot be a message"),
    ],
)
def test_what_no_worker_would_take_is_refused_at_the_door(
    registry: Registry, fields: dict[str, Any], said: str
) -> None:
    job = make_job(registry, **{"source": "./em", "dest": "./seg"} | fields)
    with pytest.raises(BadMessage) as error:
        body_of(job)
    assert said in str(error.value)


def test_every_label_of_64_bits_may_be_said(registry: Registry) -> None:
    job = make_job(registry, source="./em", dest="./seg", labels=(2**64 - 1, -(2**63)))
    assert decode(body_of(job), registry).job == job


def test_a_text_may_speak_of_nul(registry: Registry) -> None:
    job = make_job(registry, source="./a\\u0000b", dest="./seg")
    assert decode(body_of(job), registry).job == job


def test_messages_are_made_as_they_are_taken(job: AnyJob) -> None:
    taken = []

    def pieces() -> Any:  # a generator of boxes
        for piece in job.pieces():
            taken.append(piece)
            yield piece

    next(encode(KIND, job, pieces()))
    assert len(taken) == 1


@given(st.recursive(st.text('[]{}"\\ a'), lambda inner: st.lists(inner) | st.dictionaries(st.text('[{"\\'), inner)))
def test_depth_counts_brackets_but_not_those_in_texts(value: Any) -> None:
    def nested(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return 0 if inner is None else 1 + max(map(nested, inner), default=0)

    assert depth(json.dumps(value).encode()) == nested(value)


def test_a_message_is_read_up_to_its_limit_of_depth() -> None:
    def nested(levels: int) -> bytes:
        inner = b"[" * (levels - 1) + b"]" * (levels - 1)
        return b'{"v":1,"kind":"x","job":%s,"piece":{},"id":"x"}' % inner

    assert open_envelope(nested(MOST_DEPTH)).kind == "x"
    for levels in (MOST_DEPTH + 1, 100_000):
        with pytest.raises(BadMessage, match="nested more than 64 deep"):
            open_envelope(nested(levels))


@pytest.mark.parametrize(
    "body", [b'"' + b'\\"' * 130_000, b'"\\' * 130_000, b'"' * 260_000, b'{"a":"' + b"\\" * 260_000]
)
def test_a_text_without_end_is_refused_at_once(body: bytes, registry: Registry) -> None:
    with pytest.raises(BadMessage, match="the message is not a task"):
        decode(body, registry)


@pytest.mark.parametrize("kind", list(Registry()))
def test_the_message_of_every_kind_is_as_it_always_was(kind: str) -> None:
    file = GOLDEN / f"{kind.replace(' ', '_')}.json"
    assert file.is_file(), (
        f"the kind {kind!r} needs a golden message: queue one task of it (teravox {kind} … --queue ./q) "
        f"with every option said, and copy its file to tests/golden/messages/{file.name}"
    )
    body = file.read_bytes().rstrip(b"\n")
    task = decode(body, Registry())
    (entry,) = encode(task.kind, task.job, [task.piece])
    assert (task.kind, entry.body) == (kind, body)


def test_every_golden_message_has_a_kind() -> None:
    kinds = {kind.replace(" ", "_") for kind in Registry()}
    assert {file.stem for file in GOLDEN.glob("*.json")} <= kinds
