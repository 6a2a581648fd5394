"""What a box shows to its neighbours, in a file: the components on its faces, and the sizes of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.bundle import Head, pack_bundle, read_bundle, read_head
from teravox.pipeline.components.stage_files import file_key, remedy
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.components import Surface

STAGE = "faces"
_REMEDY = remedy("faces")


class BoxComponents(NamedTuple):
    """The components of a box: their sizes, and which of them go on beyond it."""

    sizes: NDArray[np.uint32]  # by label - 1
    labels: NDArray[np.uint32]  # of those on its faces


def surface_key(folder: str, index: int) -> str:
    return file_key(folder, STAGE, index)


def pack_surface(surface: Surface, sizes: NDArray[np.uint32]) -> bytes:
    arrays: list[tuple[str, NDArray[Any]]] = [("labels", surface.labels), ("sides", surface.sides), ("sizes", sizes)]
    if surface.values is not None:
        arrays.append(("values", surface.values))
    return pack_bundle({}, arrays + [(f"plane{side}", plane) for side, plane in surface.planes.items()])


def read_surface(store: Store, folder: str, index: int) -> Surface:
    """The surface of a box."""
    from teravox.kernels.components import Surface

    bundle = read_bundle(store, surface_key(folder, index), _REMEDY)
    planes = {side: bundle.get(name) for side in range(6) if (name := f"plane{side}") in bundle}
    values = bundle.get("values") if "values" in bundle else None
    return Surface(bundle.get("labels"), bundle.get("sides"), values, planes)


def read_components(store: Store, folder: str, index: int) -> BoxComponents:
    """The components of a box, without what lies on its faces."""
    bundle = read_bundle(store, surface_key(folder, index), _REMEDY)
    return BoxComponents(bundle.get("sizes"), bundle.get("labels"))


def read_surface_head(store: Store, folder: str, index: int) -> Head:
    return read_head(store, surface_key(folder, index), _REMEDY)
