"""Verifies tables and reports: of labels, of segments' properties, of regions, of grey levels, of an evaluation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from teravox.pipeline.errors import BadInput, TeravoxError
from teravox.pipeline.verification.examining import say_why
from teravox.pipeline.verification.finding import Finding, Maker
from teravox.pipeline.verification.label_tables import check_labels
from teravox.pipeline.verification.look import Look
from teravox.pipeline.verification.parts import Part
from teravox.pipeline.verification.reports import check_json, check_report

LEVELS = re.compile(r"levels/[0-9]+/-?[0-9]+--?[0-9]+\.json")
Check = Callable[[Look, str], Iterator[Finding]]


def find_tables(look: Look) -> Iterable[Part]:
    """All tables of a layer, or of the folder of an evaluation."""
    for key, check in _list(look):
        yield Table(look, key, check)


class Table:
    """One table or report."""

    def __init__(self, look: Look, key: str, check: Check) -> None:
        self.place = key
        self._look = look
        self._check = check

    def steps(self) -> int:
        return 1

    def findings(self) -> Iterator[Finding]:
        self._look.step(1)
        self._look.counts["tables"] += 1
        try:
            for finding in self._check(self._look, self.place):
                yield msgspec.structs.replace(finding, task=finding.task or _maker_of(self._look, finding.key))
        except BadInput as error:  # what reads a file says what is wrong with it
            yield Finding("undecodable", self.place, say_why(error), _maker_of(self._look, self.place))


def _list(look: Look) -> Iterator[tuple[str, Check]]:
    if look.can_list:
        for key in sorted(look.store.list("stats/")):
            if key.endswith("/table.json"):
                yield key, check_labels
            elif key.startswith("stats/rois/") and key.endswith(".json"):
                yield key, _check_rois
        for key in sorted(look.store.list("levels/")):
            if LEVELS.fullmatch(key):
                yield key, _check_levels
        yield from ((key, _check_counted) for key in _lost_tables(look))
    properties = None if look.layer is None else look.layer.raw.get("segment_properties")
    if isinstance(properties, str) and properties:
        yield f"{properties}/info", _check_properties
    is_evaluated = any(job.record.kind == "evaluate reduce" for job in look.makers.jobs)
    if is_evaluated or (look.layer is None and look.store.get("report.json") is not None):
        yield "report.json", check_report


def _lost_tables(look: Look) -> Iterator[str]:
    """The tables of counts that were finished, and are not there."""
    from teravox.pipeline.label_tables.places import table_folder
    from teravox.pipeline.label_tables.table import TABLE

    for job in look.makers.jobs:
        if job.record.kind != "image count" or look.layer is None or not job.ledger.finished():
            continue
        try:
            opened: Any = job.open()  # Any: this kind's own fields
            folder = table_folder(look.layer.scale(opened.mip), opened.bounds)
        except TeravoxError:  # its mip has gone, or it cannot be asked
            continue
        key = f"{folder}/{TABLE}"
        if not look.store.exists([key])[key]:
            yield key


def _check_counted(look: Look, key: str) -> Iterator[Finding]:  # noqa: ARG001 - it is not there: that is all to be known
    yield Finding("missing", key, "it is not there, and image count has made it")


def _check_rois(look: Look, key: str) -> Iterator[Finding]:
    from teravox.pipeline.rois import Rois

    yield from check_json(look, key, Rois)


def _check_levels(look: Look, key: str) -> Iterator[Finding]:
    from teravox.pipeline.contrast.levels import LevelsFile, Slice

    data = look.store.get(key) or b""
    try:
        for part in msgspec.json.decode(data, type=LevelsFile).slices:
            msgspec.json.decode(part, type=Slice)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        yield Finding("undecodable", key, f"it cannot be read: {error}")


def _check_properties(look: Look, key: str) -> Iterator[Finding]:
    """As Neuroglancer reads them: as many values of each property as there are segments, each segment once."""
    data = look.store.get(key)
    if data is None:
        yield Finding("missing", key, "the info names it, and it is not there")
        return
    try:
        inline = msgspec.json.decode(data)["inline"]
        ids = [int(id) for id in inline["ids"]]
        lengths = {one["id"]: len(one["values"]) for one in inline["properties"]}
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        yield Finding("undecodable", key, f"it does not hold properties of segments: {type(error).__name__} {error}")
        return
    if len(set(ids)) < len(ids):
        yield Finding("wrong", key, "it tells of a segment more than once")
    for name, length in lengths.items():
        if length != len(ids):
            yield Finding("wrong", key, f"its property {name} has {length:,} values for {len(ids):,} segments")


def _maker_of(look: Look, key: str) -> Maker | None:
    """The job whose end made a file: what no record names, since no task wrote it."""
    if look.makers.recorded([key])[0] is not None:
        return None
    kinds = ("image count",) if key.startswith("stats/voxels/") else ()
    for job in reversed(look.makers.jobs):
        said = job.record.job
        if (job.record.kind in kinds and _is_of(look, job.record.job, key)) or (
            job.record.kind == "image count" and said.get("segment_properties") and key.endswith("/info")
        ):
            return Maker(job.record.kind, job.id)
    return None


def _is_of(look: Look, said: dict[str, Any], key: str) -> bool:  # Any: the JSON of a job
    """Whether a count made the table to which a key belongs."""
    from teravox.pipeline.box import Box
    from teravox.pipeline.label_tables.places import table_folder

    if look.layer is None or not 0 <= said["mip"] < len(look.layer.info.scales):
        return False
    bounds = None if said["bounds"] is None else msgspec.convert(said["bounds"], Box)
    folder = table_folder(look.layer.scale(said["mip"]), bounds)
    return key.startswith(f"{folder}/") and key.removeprefix(folder).startswith(("/table.json", "/parts/", "/merged"))
