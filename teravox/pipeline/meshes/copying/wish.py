"""What a copy of meshes is asked to be."""

from __future__ import annotations

from typing import Literal

import msgspec

FormWord = Literal["auto", "legacy", "multires", "sharded"]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The options of the kinds that copy meshes, the name of the kind, and the id of the job."""

    kind: str
    source: str
    dest: str
    form: FormWord
    labels: tuple[int, ...]  # none means all
    dir: str | None
    memory: int
    job_id: str
