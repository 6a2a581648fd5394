from __future__ import annotations

import json
from typing import Any

import msgspec

from teravox.pipeline import message

PIECE_JSON = {"min": [0, 0, 0], "max": [4, 4, 4]}
JOB_JSON: dict[str, Any] = {"source": "./em", "dest": "./seg"}


def forge(kind: Any, job: Any, piece: Any, /, **outside: Any) -> bytes:
    """A message of anything whose id is right."""
    parts = [json.dumps(part, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for part in (job, piece)]
    canonical = [msgspec.json.encode(msgspec.json.decode(part), order="sorted") for part in parts]
    id = message._hash(str(kind), *canonical)
    said = {"v": 1, "kind": kind, "job": job, "piece": piece, "id": id} | outside
    return json.dumps(said, separators=(",", ":")).encode()
