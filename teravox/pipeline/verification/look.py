"""What is being verified and how closely: the one thing that all parts are given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.store import Store
from teravox.pipeline.verification.examiners import Examiners
from teravox.pipeline.verification.left_out import Absences

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.verification.makers import Makers


NOT_LAYERS = frozenset({"evaluate count", "evaluate reduce", "image contrast histogram"})  # kinds that need no info


class Closeness(msgspec.Struct, frozen=True, kw_only=True):
    """How closely to look."""

    mips: tuple[int, ...] | None = None  # only these
    sample: int | None = 64  # objects of each part that are decoded; None decodes all
    seed: int = 0
    fill_missing: bool = False  # what is not there, and no task is known to have written, counts as background
    checksums: bool = False  # read every object and compare its CRC-32 with the ledger's


class Look:
    """A layer that is being verified. Parts count what they look at, and step their progress."""

    def __init__(
        self,
        store: Store,
        layer: Layer | None,
        makers: Makers,
        how: Closeness,
        step: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.store = store
        self.layer = layer  # None where the info cannot be read, or there is none
        self.makers = makers
        self.how = how
        self.examiners = Examiners()
        self.absences = Absences(makers.jobs)
        self.counts: Counter[str] = Counter()  # what was looked at: "chunks", "chunks decoded", "meshes"
        self.step = step  # so many steps further, of those that the part said it has

    @property
    def is_blind(self) -> bool:
        """Whether an info is lost that only could say what else must be there; some folders with a ledger need none."""
        return self.layer is None and any(
            job.record.kind not in NOT_LAYERS and not job.prefix for job in self.makers.jobs
        )

    @property
    def can_list(self) -> bool:
        """Whether one can ask what is there; a web server cannot."""
        return not self.store.url.startswith(("http://", "https://"))
