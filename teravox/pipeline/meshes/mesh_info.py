"""What the info of a folder of meshes says of their form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.info import Json
from teravox.pipeline.layers.sharding.spec import ShardSpec, parse_spec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.store import Store

LEGACY: Final = "neuroglancer_legacy_mesh"
MULTIRES: Final = "neuroglancer_multilod_draco"
Form = Literal["legacy", "multires", "sharded"]
Matrix = tuple[float, float, float, float, float, float, float, float, float, float, float, float]
IDENTITY: Matrix = (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)


class MeshInfo(msgspec.Struct, frozen=True):
    """What an info of meshes says; `transform` has three rows of four, and leads to nanometres."""

    type: Literal["neuroglancer_legacy_mesh", "neuroglancer_multilod_draco"] = msgspec.field(name="@type")
    vertex_quantization_bits: Annotated[int, Meta(ge=1, le=30)] = 16
    transform: Matrix = IDENTITY
    sharding: Json | None = None

    @property
    def form(self) -> Form:
        if self.type == LEGACY:
            return "legacy"
        return "multires" if self.sharding is None else "sharded"


def read_mesh_info(store: Store, folder: str) -> tuple[MeshInfo, Json]:
    """The info in a folder of meshes, typed and as it is; where there is none they are legacy ones."""
    key = f"{folder}/info"
    data = store.get(key)
    if data is None:
        raw: Json = {"@type": LEGACY}
        return MeshInfo(type=LEGACY), raw
    try:
        raw = msgspec.json.decode(data, type=dict)
        info = msgspec.convert(raw, MeshInfo)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{store.url}/{key} is not what describes meshes: {error}. Correct it, or write it again"
        ) from None
    if info.form == "sharded":
        spec_of(info, f"{store.url}/{folder}")
    return info, raw


def spec_of(info: MeshInfo, place: str) -> ShardSpec:
    """How the meshes are sharded; BadInput names the place where that cannot be read."""
    if info.sharding is None:
        raise BadInput(f"{place}: its meshes are not sharded")
    return parse_spec(info.sharding, place)


def to_nanometres(
    vertices: NDArray[np.float64], faces: NDArray[np.uint32], matrix: Matrix
) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
    """Vertices by a matrix of three rows of four; where it mirrors them, faces are turned so that outside stays outside."""
    import numpy as np

    rows = np.array(matrix, np.float64).reshape(3, 4)
    linear = rows[:, :3]
    if np.array_equal(linear, np.diag(np.diag(linear))):  # so that nothing is rounded twice
        vertices = vertices * np.diag(linear) + rows[:, 3]
    else:
        vertices = vertices @ linear.T + rows[:, 3]
    if np.linalg.det(linear) < 0:
        faces = np.ascontiguousarray(faces[:, ::-1])
    return vertices, faces
