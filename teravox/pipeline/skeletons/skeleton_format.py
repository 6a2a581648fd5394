"""A skeleton as Neuroglancer has it: how many vertices and edges, the vertices, the edges, and then the attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from teravox.pipeline.skeletons.skeleton import Skeleton
from teravox.pipeline.skeletons.skeleton_info import IDENTITY, Attribute, Matrix

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Edges = NDArray[np.uint32]

COUNTS = 8  # bytes of the numbers of vertices and edges
VERTEX = 12
EDGE = 8
MOST_VERTICES = 2**32 - 1
EDGES_AT_ONCE = 1 << 20


def encode(skeleton: Skeleton, attributes: Sequence[Attribute]) -> bytes:
    """The bytes of a skeleton: vertices become 32-bit floats, and attributes are stored in the order of the info.

    ValueError where an attribute is missing, has another shape, or holds what its type cannot.
    """
    every = slice(0, len(skeleton.vertices))
    return b"".join(encode_parts([every], skeleton.edges, lambda _: skeleton, attributes))


def encode_parts(
    slices: Sequence[slice], edges: Edges, read: Callable[[slice], Skeleton], attributes: Sequence[Attribute]
) -> Iterator[bytes]:
    """The bytes of a skeleton, part after part; `read` gives the vertices of a slice, and is asked for each more than once.

    The slices follow each other, and all vertices lie in them.
    """
    import numpy as np

    yield np.array([slices[-1].stop, len(edges)], "<u4").tobytes()
    for some in slices:
        yield np.ascontiguousarray(read(some).vertices, "<f4").tobytes()
    for first in range(0, len(edges), EDGES_AT_ONCE):
        yield np.ascontiguousarray(edges[first : first + EDGES_AT_ONCE], "<u4").tobytes()
    for attribute in attributes:
        for some in slices:
            yield _attribute_bytes(read(some), attribute)


def decode(data: bytes, attributes: Sequence[Attribute], transform: Matrix = IDENTITY) -> Skeleton:
    """The skeleton, in nanometres; ValueError says what is wrong with the bytes.

    Some writers leave out all attributes of a skeleton, and then it has none.
    """
    import numpy as np

    if len(data) < COUNTS:
        raise ValueError(f"it has {len(data)} bytes, which are no skeleton")
    count, links = np.frombuffer(data, "<u4", 2).tolist()
    at = COUNTS + VERTEX * count + EDGE * links
    rest = count * sum(attribute.bytes for attribute in attributes)
    if len(data) not in (at, at + rest):
        raise ValueError(f"it has {len(data):,} bytes, which do not fit to its {count:,} vertices and {links:,} edges")
    vertices = np.frombuffer(data, "<f4", 3 * count, COUNTS).reshape(-1, 3)
    edges = np.frombuffer(data, "<u4", 2 * links, COUNTS + VERTEX * count).reshape(-1, 2)
    if edges.size and int(edges.max()) >= count:
        raise ValueError(f"an edge names vertex {int(edges.max()):,} of {count:,}")
    if not np.isfinite(vertices).all():
        raise ValueError("it has vertices that are nowhere")
    found: dict[str, NDArray[Any]] = {}  # Any: of any integer or float type
    for attribute in attributes if len(data) > at or not count else ():
        values = np.frombuffer(data, _type(attribute), count * attribute.num_components, at)
        found[attribute.id] = values.reshape(-1, attribute.num_components) if attribute.num_components > 1 else values
        at += count * attribute.bytes
    return Skeleton(to_nanometres(vertices, transform), edges, found)


def to_nanometres(vertices: NDArray[np.float32], matrix: Matrix) -> NDArray[np.float32]:
    """Vertices by a matrix of three rows of four."""
    import numpy as np

    if matrix == IDENTITY:
        return vertices
    rows = np.array(matrix, np.float64).reshape(3, 4)
    return (vertices @ rows[:, :3].T + rows[:, 3]).astype(np.float32)


def _attribute_bytes(skeleton: Skeleton, attribute: Attribute) -> bytes:
    import numpy as np

    values = skeleton.attributes.get(attribute.id)
    if values is None:
        raise ValueError(f"it has no {attribute.id}")
    if values.size != len(skeleton.vertices) * attribute.num_components or len(values) != len(skeleton.vertices):
        raise ValueError(
            f"its {attribute.id} has the shape {values.shape}, and there are {len(skeleton.vertices):,} vertices with "
            f"{attribute.num_components} each"
        )
    type = _type(attribute)
    if (values.dtype.kind, type.kind) != ("f", "f") and not np.array_equal(values.astype(type), values):
        raise ValueError(f"its {attribute.id} has values of {values.dtype} that {attribute.data_type} cannot hold")
    return np.ascontiguousarray(values, type).tobytes()


def _type(attribute: Attribute) -> np.dtype[Any]:  # Any: of any integer or float type
    import numpy as np

    return np.dtype(attribute.data_type).newbyteorder("<")
