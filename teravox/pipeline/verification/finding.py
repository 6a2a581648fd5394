"""What is wrong with an object of a layer, in one word and in a sentence."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

What = Literal[
    "missing", "truncated", "changed", "undecodable", "wrong", "unlisted", "doubled", "incomplete", "invalid"
]

MEANINGS: dict[What, str] = {
    "missing": "an object that must be there is not",
    "truncated": "an object is empty or ends too early",
    "changed": "an object is not of the size or the checksum that the ledger noted when it was written",
    "undecodable": "an object cannot be decoded",
    "wrong": "an object can be read, and does not hold what it must",
    "unlisted": "an object is there that nothing calls for",
    "doubled": "an object is there in several compressions, so that readers may differ in what they see",
    "incomplete": "a job of the ledger has pieces that are not done, or was not finished",
    "invalid": "a file that describes others (info, a manifest, a table's head) cannot be read or contradicts itself",
}
WHATS: tuple[What, ...] = get_args(What)


class Maker(msgspec.Struct, frozen=True):
    """Who makes an object: a task of a job, by their names in the ledger; without a task, all of the job."""

    kind: str
    job: str
    task: str | None = None


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong. A part leaves `task` out where the ledger's records name the key; `verify` fills it in."""

    what: What
    key: str  # of the object, within the layer
    sentence: str  # what was found, for people; what to do about it is said once, at the end
    task: Maker | None = None
