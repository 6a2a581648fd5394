"""Where a new result lies beside the meshes or skeletons that a layer has: these stay valid until all of the new ones are there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.info import Json, encode_info
from teravox.pipeline.objects.sort import SORTS, Sort

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.store import Store

MARK = "teravox"  # the word in the info of such a folder under which stands what job made them
DIGITS = 8
_ENDING = re.compile(rf"_[0-9a-f]{{{DIGITS}}}$")


def find_folder(layer: Layer, sort: Sort, dir: str, job_id: str) -> str:
    """The folder for the result of a job: `dir`, or `dir_1a2b3c4d` where `dir` is in use by another result."""
    check_dir(layer, sort, dir)
    info = _read(layer.store, dir)
    if _job_of(info) == job_id or (info is None and layer.raw.get(sort.word) != dir):
        return dir
    return f"{dir}_{job_id[:DIGITS]}"


def claim_folder(store: Store, folder: str, raw: Json, job_id: str, **words: int) -> None:
    """Write the info of a new result with the mark of its job and its own words.

    Where it stands already, nothing is written; what others have added to it, such as a spatial index, stays.
    """
    raw = msgspec.json.decode(msgspec.json.encode(raw | {MARK: {"job": job_id, **words}}))
    there = _read(store, folder) or {}
    kept = there if _job_of(there) == job_id else {}
    if kept | raw != there:
        write_object_info(store, folder, kept | raw)


def write_object_info(store: Store, folder: str, raw: Json) -> None:
    """Put the info of a folder of meshes or skeletons in place; not for workers."""
    store.put(f"{folder}/info", encode_info(raw), content_type="application/json")


def stem_of(folder: str) -> str:
    """The name of a folder without the ending that it got because the name was in use."""
    return _ENDING.sub("", folder)


def is_ours(store: Store, folder: str) -> bool:
    """Whether teravox made what lies in a folder, as their info says."""
    return _job_of(_read(store, folder)) is not None


def read_mark(store: Store, folder: str, job_id: str) -> Json | None:
    """What `claim_folder` wrote for a job; None where it has not been there."""
    info = _read(store, folder)
    mark: Json | None = (info or {}).get(MARK) if _job_of(info) == job_id else None
    return mark


def let_name(layer: Layer, sort: Sort, folder: str) -> None:
    """Let the info of a layer name a folder as the one of its meshes or skeletons."""
    layer.change_info(lambda raw: raw | {sort.word: folder})


def check_dir(layer: Layer, sort: Sort, dir: str) -> None:
    """Raise BadUsage where a folder cannot be one of this sort, because it leaves the layer or holds something else of it."""
    from teravox.pipeline.storage.urls import confine

    confine(dir, layer.url)
    parts = [scale.key for scale in layer.info.scales] + ["ledger", "info", "provenance"]
    words = [other.word for other in SORTS if other != sort] + ["segment_properties"]
    parts += [layer.raw[word] for word in words if isinstance(layer.raw.get(word), str)]
    for part in parts:
        if f"{part}/".startswith(f"{dir}/") or f"{dir}/".startswith(f"{part}/"):
            raise BadUsage(
                f"--dir: {dir} cannot hold {sort.many}, because {part} of {layer.url} lies there. Choose another"
            )


def _read(store: Store, folder: str) -> Json | None:
    """The info of a folder as it is; None where there is none, or something else."""
    data = store.get(f"{folder}/info")
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=dict)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _job_of(info: Json | None) -> str | None:
    mark = (info or {}).get(MARK)
    job = mark.get("job") if isinstance(mark, dict) else None
    return job if isinstance(job, str) else None
