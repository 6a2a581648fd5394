"""What is known of segments where Neuroglancer looks for it, to sort and to filter by.

https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/segment_properties.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.label_tables.table import LabelTable
from teravox.pipeline.layers.layer import Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 1_000_000  # segments, since a browser holds them all; of more, the largest are listed
WORD = "segment_properties"  # in the info, and the folder where it names none
ID = "voxels"
BESIDES = {
    "radius": "Radius of a ball of the same volume, in nanometres",
    "contacts": "Segments that it touches",
    "mean": "Mean grey value",
    "most": "Largest grey value",
}
"""Other columns that are written where the table has them, and what they say."""


def check_segment_properties(layer: Layer) -> None:
    """Raise BadUsage if segments cannot have sizes here, or if somebody else's properties would be lost."""
    if layer.info.type != "segmentation":
        raise BadUsage(f"--segment-properties: {layer.url} is an image, and has no segments")
    folder = _folder(layer)
    data = layer.store.get(f"{folder}/info")
    if data is not None and not _is_ours(data):
        raise BadUsage(
            f"--segment-properties: {layer.url}/{folder} holds properties that were not made by it, and stays as it is; "
            "leave this option out, or move them away"
        )


def write_segment_properties(layer: Layer, table: LabelTable) -> None:
    """Write the columns, and then name them in the info, if it does not yet."""
    import numpy as np

    found = _largest(table)
    labels, voxels = found.pop("label"), found.pop("voxels")
    fits = voxels.max(initial=0) < 1 << 32
    properties = [
        _property(ID, f"Voxels at mip {table.index.mip}", voxels.astype(np.uint32 if fits else np.float32)),
        *(
            _property(name, BESIDES[name], column.astype(np.uint32 if name == "contacts" else np.float32))
            for name, column in found.items()
        ),
    ]
    inline = {"ids": [str(label) for label in labels.tolist()], "properties": properties}
    folder = _folder(layer)
    data = msgspec.json.encode({"@type": "neuroglancer_segment_properties", "inline": inline})
    layer.store.put(f"{folder}/info", data, content_type="application/json")
    layer.change_info(lambda raw: raw | {WORD: folder})


def _property(name: str, description: str, values: NDArray[Any]) -> dict[str, object]:
    return {
        "id": name,
        "type": "number",
        "data_type": values.dtype.name,
        "description": description,
        "values": values.tolist(),
    }


def _largest(table: LabelTable) -> dict[str, NDArray[Any]]:
    """The columns of the largest segments, sorted by label; of equally large ones the first."""
    import numpy as np

    names = ("label", ID, *(name for name in BESIDES if name in table.index.columns))
    kept = {name: np.empty(0, table.index.columns[name]) for name in names}
    for group in table.index.groups:
        found = table.read(group, names)
        segments = found["label"] > 0
        kept = {name: np.concatenate([kept[name], found[name][segments]]) for name in names}
        if len(kept["label"]) > MOST:
            largest = np.sort(np.argsort(~kept[ID], kind="stable")[:MOST])
            kept = {name: column[largest] for name, column in kept.items()}
    return kept


def _folder(layer: Layer) -> str:
    folder: str = layer.raw.get(WORD) or WORD
    if not isinstance(folder, str):
        raise BadInput(f"{layer.url}/info: `{WORD}` must be the name of a folder, and is {folder!r}")
    return folder


def _is_ours(data: bytes) -> bool:
    try:
        properties: Any = msgspec.json.decode(data)  # whatever somebody wrote
        said = [(one["id"], one["type"]) for one in properties["inline"]["properties"]]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return False
    return said[:1] == [(ID, "number")] and all(type == "number" and name in {ID, *BESIDES} for name, type in said)
