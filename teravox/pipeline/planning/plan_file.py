"""The plan as a file, for whoever grants machines by it: SLURM scripts, manifests, people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from teravox.pipeline.errors import BadInput

FORM: Literal["teravox plan 1"] = "teravox plan 1"
Count = Annotated[int, Meta(ge=0)]
Amount = Annotated[float, Meta(ge=0)]


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True):
    """What one stage will take; a figure that nobody can know yet is None, and `why` says why.

    A step of a pipeline file that has several stages has an entry for each of them, under one name.
    """

    name: str
    kind: str
    tasks: Count | None = None
    memory: Count | None = None  # bytes of the largest task
    cpu_seconds: Amount | None = None  # of all tasks
    seconds: Amount | None = None  # of all tasks, one after another
    longest_seconds: Amount | None = None  # of the longest task
    wall_seconds: Amount | None = None  # with as many workers as the plan has
    bytes_in: Count | None = None
    bytes_out: Count | None = None
    requests_in: Count | None = None  # GET and HEAD
    requests_out: Count | None = None  # PUT, POST and LIST
    files: Count | None = None  # objects that are written
    kept: bool = True  # whether they stay; False: later stages or steps need them, and then they can go
    exact_in: bool = False  # what is read is counted, and not estimated
    exact_out: bool = False  # the same of what is written
    dollars: Amount | None = None  # without storage
    known: bool = False  # every figure is given
    why: str | None = None


class PlanFile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole plan; sums are None where a part of them is unknown."""

    form: Literal["teravox plan 1"] = FORM
    made: str  # ISO time
    version: str  # of teravox
    steps: tuple[PlannedStep, ...]
    workers: Annotated[int, Meta(ge=1)]
    memory: Count | None = None  # bytes of the largest task of those that are known
    cpu_seconds: Amount | None = None
    wall_seconds: Amount | None = None
    dollars: Amount | None = None
    dollars_a_month: Amount | None = None  # for keeping what is written
    place: str | None = None  # whose prices these are
    warnings: tuple[str, ...] = ()
    details: dict[str, Any] = {}  # how the figures came about, for people: rates, prices, samples


def encode_plan(plan: PlanFile) -> bytes:
    """The plan as it stands in a file."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n"


def decode_plan(data: bytes, place: str) -> PlanFile:
    """The plan that a file holds; BadInput names the place and what is wrong. Fields of later versions are passed over."""
    try:
        return msgspec.json.decode(data, type=PlanFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{place} is not a plan of teravox: {error}. Make one with: teravox plan … --output {place}"
        ) from None


def read_plan(path: str) -> PlanFile:
    """The plan in a file of this machine."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror}. Make it with: teravox plan … --output {path}"
        ) from None
    return decode_plan(data, path)
