from __future__ import annotations

from typing import Any

import msgspec
import pytest

from teravox.pipeline.box import Box
from teravox.pipeline.job import Job, piece_type


class OfBoxes(Job[Box], frozen=True):
    layer: str = "./em"


class OfLabels(OfBoxes, frozen=True):
    dest: str = "./seg"


class Nothing(Job[Box], frozen=True):
    dest: int = 3


class Unsaid(Job, frozen=True):  # type: ignore[type-arg]  # this is what the test is about
    layer: str = "./em"


class OfNumbers(Job[int], frozen=True):  # type: ignore[type-var]  # this is what the test is about
    layer: str = "./em"


def test_a_job_says_the_type_of_its_pieces() -> None:
    assert piece_type(OfBoxes) is Box


@pytest.mark.parametrize("kind", [Unsaid, OfNumbers])
def test_a_job_without_a_type_of_pieces_is_told_how_to_say_it(kind: type[Job[Any]]) -> None:
    with pytest.raises(TypeError, match=rf"class {kind.__name__}\(Job\[Box\], frozen=True\)"):
        piece_type(kind)


def test_the_ledger_lies_beside_the_layer_that_is_written() -> None:
    assert OfBoxes().home() == "./em"
    assert OfLabels().home() == "./seg"


def test_a_job_without_a_layer_must_say_its_home() -> None:
    with pytest.raises(NotImplementedError, match="Nothing has neither dest nor layer"):
        Nothing().home()


@pytest.mark.parametrize("method", ["pieces", "memory", "run", "outputs"])
def test_a_job_must_say_what_it_does(method: str) -> None:
    piece = () if method == "pieces" else (Box((0, 0, 0), (1, 1, 1)),)
    with pytest.raises(NotImplementedError):
        getattr(OfBoxes(), method)(*piece)


def test_a_job_is_frozen_and_takes_no_other_fields() -> None:
    with pytest.raises(AttributeError):
        OfBoxes().layer = "./other"  # type: ignore[misc]  # this is what the test is about
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(b'{"layer":"./em","mip":2}', type=OfBoxes)
