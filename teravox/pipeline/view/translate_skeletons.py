"""Skeletons whose attributes the Neuroglancer client cannot draw, said in another way.

The client takes 32-bit floats only, up to four for a vertex: a single attribute of whole numbers, and it shows no
skeleton at all. Such skeletons are given to it as floats, and one by one, also where they lie in shards.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from teravox.pipeline.layers.info import encode_info

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.skeletons.skeleton_info import Attribute

MOST = 4  # numbers that an attribute may have for a vertex
_LABEL = re.compile(r"[0-9]{1,20}")


def is_of_skeletons(layer: Layer, key: str) -> bool:
    """Whether a key lies in the folder of a layer's skeletons."""
    folder = layer.raw.get("skeletons")
    return isinstance(folder, str) and bool(folder.strip("/")) and key.startswith(f"{folder.strip('/')}/")


def translate_skeletons(layer: Layer, key: str) -> bytes | None:
    """The info of skeletons, or one of them, as the client is to see it; None where it can see it as it is."""
    from teravox.pipeline.skeletons.skeleton_info import read_skeleton_info

    folder, _, name = key.rpartition("/")
    if folder != str(layer.raw["skeletons"]).strip("/") or not (name == "info" or _LABEL.fullmatch(name)):
        return None
    info, raw = read_skeleton_info(layer.store, folder)
    shown = [_as_floats(one) for one in info.vertex_attributes if one.num_components <= MOST]
    if shown == list(info.vertex_attributes):
        return None
    if name != "info":
        return _translate(layer, folder, int(name), shown)
    said = [{"id": one.id, "data_type": one.data_type, "num_components": one.num_components} for one in shown]
    return encode_info({word: value for word, value in raw.items() if word != "sharding"} | {"vertex_attributes": said})


def _as_floats(attribute: Attribute) -> Attribute:
    from teravox.pipeline.skeletons.skeleton_info import Attribute

    return Attribute(attribute.id, "float32", attribute.num_components)


def _translate(layer: Layer, folder: str, label: int, shown: list[Attribute]) -> bytes | None:
    """A skeleton with these attributes; vertices stay where they are stored, since the info tells of their transform."""
    import numpy as np

    from teravox.pipeline.skeletons.skeleton_format import encode
    from teravox.pipeline.skeletons.skeleton_info import IDENTITY
    from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

    source = SkeletonSource.open(layer, folder)
    data = source.stored(label)
    if data is None:
        return None
    skeleton = source.unpack(label, data, transform=IDENTITY)
    nothing = np.zeros(len(skeleton.vertices), np.float32)  # for a skeleton whose writer left its attributes out
    floats = {
        one.id: skeleton.attributes.get(one.id, np.repeat(nothing, one.num_components)).astype(np.float32)
        for one in shown
    }
    shaped = {one.id: floats[one.id].reshape(len(nothing), -1) for one in shown}
    return encode(skeleton._replace(attributes=shaped), shown)
