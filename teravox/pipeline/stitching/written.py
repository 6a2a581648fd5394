"""What a layer was stitched with: which job is writing it, or has written it."""

from __future__ import annotations

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.stitching.declaration import Choice
from teravox.pipeline.store import Store

WRITTEN = "stitch/written.json"


class Written(msgspec.Struct, frozen=True):
    """Which job wrote a layer last, or is writing it, and what it joined."""

    job: str
    blocks: str
    choice: Choice
    min_size: int = 0


def read_written(store: Store) -> Written | None:
    """None where no job has."""
    data = store.get(WRITTEN)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=Written)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{store.url}/{WRITTEN} cannot be read: {error}. Remove it, and run `teravox stitch auto`"
        ) from None


def write_written(store: Store, written: Written) -> None:
    store.put(WRITTEN, msgspec.json.encode(written) + b"\n", content_type="application/json")
