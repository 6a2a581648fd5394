"""What a copy of objects is asked to be."""

from __future__ import annotations

import msgspec


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the kinds that copy objects, the name of the kind, and the id of the job."""

    kind: str
    source: str
    dest: str
    form: str  # one of the sort's, or auto: as the source
    labels: tuple[int, ...]  # none means all
    dir: str | None
    memory: int
    job_id: str
