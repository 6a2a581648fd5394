"""Verifies a layer: goes through its parts, and names the task that makes each object in which something is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

import msgspec

from teravox.pipeline.errors import BadInput, Fatal
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.sort import SORTS
from teravox.pipeline.registry import Registry
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.verification.finding import Finding, What
from teravox.pipeline.verification.look import Closeness, Look
from teravox.pipeline.verification.makers import Makers
from teravox.pipeline.verification.object_merges import folders_of_merges
from teravox.pipeline.verification.parts import Part, finders

MOST = 100_000  # findings that are kept; further ones are counted, and found again when these are repaired


WITHOUT_INFO = ("info", "ledger")  # parts that can be verified without one


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    layer: str
    parts: tuple[str, ...]  # that were looked at
    counts: dict[str, int]  # of what was looked at, and of what could not be
    found: dict[What, int]
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        return not self.found


class Progress:
    """Who wants to know how far it is: the steps there are about, and what is being looked at."""

    def begin(self, steps: int) -> None:
        """All parts are known."""

    def enter(self, place: str) -> None:
        """This part is looked at now."""

    def step(self, steps: int) -> None:
        """So many steps further."""


def open_look(url: str, how: Closeness, registry: Registry, step: Callable[[int], None] = lambda _: None) -> Look:
    """What parts need to look at a layer; Fatal where there is nothing that is a layer or has a ledger."""
    store = open_store(url)
    data = store.get("info")
    layer = None
    if data is not None:
        try:
            layer = Layer.open(store.url, fresh=True)
        except BadInput:  # the part that verifies the info says why
            layer = None
    makers = Makers(store, _folders(layer), registry)
    if data is None and not makers.jobs and store.get("report.json") is None:
        raise Fatal(f"there is no layer at {store.url}: it has neither an info file nor a ledger. Check the path")
    return Look(store, layer, makers, how, step)


def _folders(layer: Layer | None) -> list[str]:
    """The folders of a layer that have ledgers of their own; where the info is lost, those by their usual names."""
    if layer is None:
        return sorted({name for sort in SORTS for name in (sort.one, sort.many, sort.word)})
    named = {folder for sort in SORTS if isinstance(folder := layer.raw.get(sort.word), str) and folder}
    return sorted(named.union(folders_of_merges(layer)))


def verify(look: Look, only: Collection[str], progress: Progress) -> Verified:
    """Look at the parts that are asked for, or at all; nothing is changed."""
    parts: list[Part] = []
    for name, find in finders().items():
        if look.is_blind and name not in WITHOUT_INFO:
            look.counts["not checked: what the info would describe"] += 1
        elif not only or name in only:
            parts += find(look)
    progress.begin(sum(part.steps() for part in parts))
    look.step = progress.step
    found: Counter[What] = Counter()
    findings: dict[tuple[str, str, str], Finding] = {}
    try:
        for part in parts:
            progress.enter(part.place)
            for finding in part.findings():
                name_of = (finding.what, finding.key, finding.sentence)
                if name_of in findings:
                    continue
                found[finding.what] += 1
                if len(findings) < MOST:
                    findings[name_of] = finding
    finally:
        look.examiners.close()
    return Verified(
        layer=look.store.url,
        parts=tuple(part.place for part in parts),
        counts=dict(sorted(look.counts.items())),
        found=dict(found),
        findings=tuple(_with_makers(look, list(findings.values()))),
    )


def _with_makers(look: Look, findings: list[Finding]) -> list[Finding]:
    makers = look.makers.makers_of(finding.key for finding in findings if finding.task is None)
    return [
        finding if finding.task is not None else msgspec.structs.replace(finding, task=makers.get(finding.key))
        for finding in findings
    ]
