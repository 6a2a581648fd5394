"""Where a new result lies beside the meshes that a layer has: these stay valid until all of the new ones are there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.info import Json
from teravox.pipeline.meshes.mesh_info import write_mesh_info

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.store import Store

MARK = "teravox"  # the word in the info of meshes under which stands what job made them
DIGITS = 8
_ENDING = re.compile(rf"_[0-9a-f]{{{DIGITS}}}$")


def find_folder(layer: Layer, dir: str, job_id: str) -> str:
    """The folder for the result of a job: `dir`, or `dir_1a2b3c4d` where `dir` is in use by another result."""
    check_dir(layer, dir)
    info = _read(layer.store, dir)
    if _job_of(info) == job_id or (info is None and layer.raw.get("mesh") != dir):
        return dir
    return f"{dir}_{job_id[:DIGITS]}"


def claim_folder(store: Store, folder: str, raw: Json, job_id: str, **words: int) -> None:
    """Write the info of a new result with the mark of its job and its own words; where it stands already, nothing is written."""
    raw = raw | {MARK: {"job": job_id, **words}}
    if _read(store, folder) != msgspec.json.decode(msgspec.json.encode(raw)):
        write_mesh_info(store, folder, raw)


def stem_of(folder: str) -> str:
    """The name of a folder without the ending that it got because the name was in use."""
    return _ENDING.sub("", folder)


def is_ours(store: Store, folder: str) -> bool:
    """Whether teravox made the meshes in a folder, as their info says."""
    return _job_of(_read(store, folder)) is not None


def check_dir(layer: Layer, dir: str) -> None:
    """Raise BadUsage where a folder cannot be one of meshes, because it leaves the layer or is one of its own."""
    from teravox.pipeline.storage.urls import confine

    confine(dir, layer.url)
    parts = [scale.key for scale in layer.info.scales] + ["ledger", "info", "provenance"]
    parts += [layer.raw[word] for word in ("skeletons", "segment_properties") if isinstance(layer.raw.get(word), str)]
    for part in parts:
        if f"{part}/".startswith(f"{dir}/") or f"{dir}/".startswith(f"{part}/"):
            raise BadUsage(f"--dir: {dir} cannot hold meshes, because {part} of {layer.url} lies there. Choose another")


def _read(store: Store, folder: str) -> Json | None:
    """The info of meshes as it is; None where there is none, or something else."""
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
