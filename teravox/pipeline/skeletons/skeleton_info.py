"""Which folder holds the skeletons of a layer, and what its info says of their form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.info import Json
from teravox.pipeline.layers.sharding.spec import ShardSpec, parse_spec

if TYPE_CHECKING:
    from teravox.pipeline.store import Store

TYPE: Final = "neuroglancer_skeletons"
Form = Literal["legacy", "sharded"]
Matrix = tuple[float, float, float, float, float, float, float, float, float, float, float, float]
IDENTITY: Matrix = (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)
SHOWN = "float32"  # the type that Neuroglancer draws; of a layer with any other attribute it draws nothing
DataType = Literal[
    "float32", "int8", "uint8", "int16", "uint16", "int32", "uint32", "float16", "float64", "int64", "uint64"
]


class Attribute(msgspec.Struct, frozen=True):
    """What is stored of each vertex besides its position."""

    id: str
    data_type: DataType
    num_components: Annotated[int, Meta(ge=1)] = 1

    @property
    def bytes(self) -> int:
        """What it takes for one vertex."""
        import numpy as np

        return np.dtype(self.data_type).itemsize * self.num_components


RADIUS = Attribute("radius", "float32")
LEFT_OUT = (RADIUS, Attribute("vertex_types", "uint8"))  # what readers assume where an info does not say


class SkeletonInfo(msgspec.Struct, frozen=True):
    """What an info of skeletons says; `transform` has three rows of four, and leads to nanometres."""

    transform: Matrix = IDENTITY
    vertex_attributes: tuple[Attribute, ...] = ()
    sharding: Json | None = None

    @property
    def form(self) -> Form:
        return "legacy" if self.sharding is None else "sharded"


def read_skeleton_info(store: Store, folder: str) -> tuple[SkeletonInfo, Json]:
    """The info in a folder of skeletons, typed and as it is; where there is none they are legacy ones in nanometres."""
    key = f"{folder}/info"
    data = store.get(key)
    if data is None:
        info = SkeletonInfo(vertex_attributes=LEFT_OUT)
        return info, skeleton_info(info.vertex_attributes)
    try:
        raw = msgspec.json.decode(data, type=dict)
        if raw.get("@type", TYPE) != TYPE:
            raise msgspec.ValidationError(f"it is of type {raw['@type']!r}, not {TYPE}")
        info = msgspec.convert(raw, SkeletonInfo)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{store.url}/{key} is not what describes skeletons: {error}. Correct it, or write it again"
        ) from None
    if info.form == "sharded":
        spec_of(info, f"{store.url}/{folder}")
    return info, raw


def skeleton_info(attributes: Sequence[Attribute], spec: ShardSpec | None = None, mip: int | None = None) -> Json:
    """The info of skeletons whose vertices are stored in nanometres.

    There are readers that overlook a transform, or apply it twice when they copy, so it is the identity.
    """
    info: Json = {
        "@type": TYPE,
        "transform": list(IDENTITY),
        "vertex_attributes": [msgspec.to_builtins(attribute) for attribute in attributes],
    }
    if mip is not None:
        info["mip"] = mip
    return info | ({"sharding": spec.as_json()} if spec else {})


def spec_of(info: SkeletonInfo, place: str) -> ShardSpec:
    """How the skeletons are sharded; BadInput names the place where that cannot be read."""
    if info.sharding is None:
        raise BadInput(f"{place}: its skeletons are not sharded")
    return parse_spec(info.sharding, place)
