"""The sizes of segments where Neuroglancer looks for them, to sort and to filter by.

https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/segment_properties.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.label_tables.table import LabelTable
from teravox.pipeline.layers.layer import Layer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Labels = NDArray[np.uint64]

MOST = 1_000_000  # segments, since a browser holds them all; of more, the largest are listed
WORD = "segment_properties"  # in the info, and the folder where it names none
ID = "voxels"


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
    """Write the sizes, and then name them in the info, if it does not yet."""
    import numpy as np

    labels, voxels = _largest(table)
    fits = voxels.max(initial=0) < 1 << 32
    values = voxels if fits else voxels.astype(np.float32)
    sizes = {
        "id": ID,
        "type": "number",
        "data_type": "uint32" if fits else "float32",
        "description": f"Voxels at mip {table.index.mip}",
        "values": values.tolist(),
    }
    inline = {"ids": [str(label) for label in labels.tolist()], "properties": [sizes]}
    properties = {"@type": "neuroglancer_segment_properties", "inline": inline}
    folder = _folder(layer)
    layer.store.put(f"{folder}/info", msgspec.json.encode(properties), content_type="application/json")
    layer.change_info(lambda raw: raw | {WORD: folder})


def _largest(table: LabelTable) -> tuple[Labels, Labels]:
    """The labels of the largest segments and their voxels, sorted by label; of equally large ones the first."""
    import numpy as np

    labels = voxels = np.empty(0, np.uint64)
    for group in table.index.groups:
        found = table.read(group, ("label", "voxels"))
        segments = found["label"] > 0
        labels = np.concatenate([labels, found["label"][segments]])
        voxels = np.concatenate([voxels, found["voxels"][segments]])
        if len(labels) > MOST:
            kept = np.sort(np.argsort(~voxels, kind="stable")[:MOST])
            labels, voxels = labels[kept], voxels[kept]
    return labels, voxels


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
    return said == [(ID, "number")]
