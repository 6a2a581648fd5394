"""The head of the page, and its first section: what the layer is and what was done to it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from teravox import __version__
from teravox.pipeline.description.rows import NUMBERS, history, summary, tables
from teravox.pipeline.description.rows import Table as Rows
from teravox.pipeline.quality.measure import Quality
from teravox.pipeline.quality.page.markup import Markup, Words, element, section, table
from teravox.pipeline.quality.page.say import say_cores, say_count, say_moment, say_score, say_share
from teravox.pipeline.units import say_bytes


def draw_head(seen: Quality) -> Markup:
    """The name of the layer, and its figures in a line."""
    lines = list(summary(seen.description))
    said = datetime.fromtimestamp(seen.made, UTC).strftime("%Y-%m-%d %H:%M UTC")
    cards = (element("div", element("dt", name), element("dd", value)) for name, value in _cards(seen))
    return element(
        "header",
        element("h1", lines[0]),
        element("p", "; ".join(lines[1:]), class_="lead"),
        element("dl", *cards, class_="cards"),
        element("p", f"Made {said} by teravox {__version__}, with {seen.samples:,} samples and seed {seen.seed}."),
    )


def _cards(seen: Quality) -> Iterator[tuple[str, Words]]:
    full = seen.description.mips[0]
    yield "Voxels", f"{math.prod(full.size):,}"
    if seen.stored:
        stored = sum(mip.bytes for mip in seen.stored)
        yield "Stored", say_bytes(stored)
        yield "Missing chunks", _missing(seen)
    if seen.sizes is not None:
        yield f"Labels, mip {seen.sizes.mip}", f"{seen.sizes.labels:,}"
    for seam in seen.seams:
        if seam.what == "labels":
            yield "Seam score", say_score(seam.score)
    if seen.jobs:
        yield "Core time", say_cores(sum(job.cpu_seconds for job in seen.jobs))
    if seen.verified is not None:
        found = sum(seen.verified.found.values())
        yield "Verified", say_count(found, "finding") if found else "sound"


def _missing(seen: Quality) -> str:
    known = [(mip.expected, mip.there) for mip in seen.stored if mip.there is not None]
    missing = sum(expected - there for expected, there in known)
    if not known:
        return "unknown"
    return "none" if not missing else f"{missing:,} ({say_share(missing / sum(expected for expected, _ in known))})"


def draw_about(seen: Quality) -> Markup:
    lead = "What the layer is, as teravox show tells it, and what was done to it, by its provenance and its ledger."
    shown = [_draw(rows, name) for rows, name in zip(tables(seen.description), _names(seen), strict=False)]
    done = [_draw(rows, f"History, by the {source}") for rows, source in _sources(seen)]
    asked = _asked(seen)
    return section("about", "What it is", lead, *shown, *done, *asked)


def _sources(seen: Quality) -> Iterator[tuple[Rows, str]]:
    """The tables of the history, with who tells it."""
    sources = [*(["provenance"] if seen.description.history else []), "ledger"]
    return zip(history(seen.description), sources, strict=False)


def _names(seen: Quality) -> Iterator[str]:
    yield "Mips; chunks and raw bytes are those of a full volume"
    if any(mip.shards is not None for mip in seen.description.mips):
        yield "Shards"
    yield "What belongs to it"


def _draw(rows: Rows, caption: str) -> Markup:
    return table(caption, rows.heads, rows.rows, NUMBERS)


def _asked(seen: Quality) -> Iterator[Markup]:
    if not seen.jobs:
        return
    rows = (
        (
            element("code", job.id[:8]),
            job.kind,
            say_moment(job.asked),
            job.version,
            element("code", job.command or "not noted"),
        )
        for job in seen.jobs
    )
    inside = table("Jobs as they were asked for", ("job", "kind", "when", "version", "command"), rows)
    yield element("details", element("summary", f"The commands of {say_count(len(seen.jobs), 'job')}"), inside)
