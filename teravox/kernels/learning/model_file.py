"""The file of a model: an archive of a JSON text and of plain arrays, which nothing in it can make run.

It is a ZIP of `model.json` and, for the trees, NumPy's `.npy` files, none of them compressed, so that equal models make
equal bytes and a small file cannot unfold into a large one.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning.classes import Class
from teravox.kernels.learning.forest import Forest, Link
from teravox.kernels.learning.model import Model, Unit
from teravox.kernels.learning.selection import Selection
from teravox.kernels.learning.tree import Tree
from teravox.kernels.segmentation.scale import Zyx

FORMAT = "teravox model"
VERSION = 1
SUFFIX = ".model"

_JSON = "model.json"
_ARRAYS = {  # by name: the type, and what it is by
    "nodes": "<i4",  # tree
    "leaves": "<i4",  # tree
    "outputs": "<i4",  # tree
    "feature": "<i4",  # node, as the next ones
    "threshold": "<f4",
    "left": "<i4",
    "right": "<i4",
    "values": "<f4",  # leaf, and class
}
_WHEN = (1980, 1, 1, 0, 0, 0)  # the first moment that a ZIP knows
_HEADER = re.compile(rb"\{'descr': '(<[if]4)', 'fortran_order': False, 'shape': \((\d{1,10}),(?: (\d{1,4}))?\), \} *\n")
_MAGIC = b"\x93NUMPY\x01\x00"


class ForestText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A forest without its trees."""

    link: Link
    features: int
    trees: int


class ModelText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `model.json` holds."""

    format: str
    version: int
    unit: Unit
    classes: tuple[Class, ...]
    features: tuple[tuple[str, float, bool], ...]  # filter, sigma, and whether slice by slice
    channels: int
    resolution: Zyx | None
    supervoxels: dict[str, Any] | None  # JSON may hold anything
    forest: ForestText
    record: dict[str, Any]  # as before


class _Broken(Exception):
    """What is wrong with a file."""


class _Parts(NamedTuple):
    """The trees of a forest as arrays, one tree behind the other."""

    nodes: NDArray[np.int32]
    leaves: NDArray[np.int32]
    outputs: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    values: NDArray[np.float32]


def pack(model: Model) -> bytes:
    """The bytes of a model's file."""
    model.check()
    text = ModelText(
        format=FORMAT,
        version=VERSION,
        unit=model.unit,
        classes=model.classes,
        features=tuple((one.filter, one.sigma, one.flat) for one in model.selection),
        channels=model.channels,
        resolution=model.resolution,
        supervoxels=model.supervoxels,
        forest=ForestText(model.forest.link, model.forest.features, len(model.forest.trees)),
        record=model.record,
    )
    plain = msgspec.json.decode(msgspec.json.encode(text))
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(_JSON, _WHEN), json.dumps(plain, indent=1, sort_keys=True) + "\n")
        for name, array in _parts(model.forest)._asdict().items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _WHEN), _pack_array(array, _ARRAYS[name]))
    return into.getvalue()


def unpack(data: bytes, name: str) -> Model:
    """The model of a file; ValueError with a sentence that begins with its name where it holds none."""
    try:
        return _unpack(data)
    except _Broken as broken:
        raise ValueError(f"{name}: {broken}") from None
    except ValueError as error:
        raise ValueError(f"{name} holds no model that can be used: {error}") from None


def _unpack(data: bytes) -> Model:
    files = _read_archive(data)
    text = _read_text(files[_JSON])
    forest = _join_trees(text, _Parts(**{name: _read_array(files, name, kind) for name, kind in _ARRAYS.items()}))
    model = Model(
        unit=text.unit,
        classes=text.classes,
        selection=Selection(text.features),  # type: ignore[arg-type]  # it makes its own of them
        channels=text.channels,
        resolution=text.resolution,
        forest=forest,
        supervoxels=text.supervoxels,
        record=text.record,
    )
    model.check()
    return model


def _read_archive(data: bytes) -> dict[str, bytes]:
    wanted = {_JSON, *(f"{name}.npy" for name in _ARRAYS)}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sorted(one.filename for one in members) != sorted(wanted):
                raise _Broken(f"it is an archive, but not of a model, which holds {_JSON} and the arrays of its trees")
            if any(one.compress_type != zipfile.ZIP_STORED or one.flag_bits & 1 for one in members):
                raise _Broken("its parts are compressed or encrypted, which those of a model never are")
            if sum(one.file_size for one in members) > len(data):
                raise _Broken("it is damaged: its parts are said to be larger than all of it")
            return {one.filename: archive.read(one) for one in members}
    except (
        zipfile.BadZipFile,
        struct.error,
        ValueError,
        RuntimeError,
        NotImplementedError,
        EOFError,
        OSError,
        OverflowError,
    ) as error:  # all that zipfile says of broken archives
        raise _Broken(f"it is no model of teravox, or damaged ({str(error) or type(error).__name__})") from None


def _read_text(data: bytes) -> ModelText:
    try:
        said = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _Broken(f"its {_JSON} cannot be read: {error}") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise _Broken(f"its {_JSON} is not that of a model")
    if said.get("version") != VERSION:
        raise _Broken(
            f"it is of version {said.get('version')!r:.20}, and this teravox knows {VERSION}: use a newer teravox"
        )
    try:
        return msgspec.convert(said, ModelText)
    except msgspec.ValidationError as error:
        raise _Broken(f"its {_JSON} is not that of a model: {error}") from None


def _pack_array(array: NDArray[Any], kind: str) -> bytes:
    """An array in NumPy's own format, whose header is the same in every version of it."""
    shape = f"({', '.join(map(str, array.shape))}{',' if array.ndim == 1 else ''})"
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    length = -(-(len(_MAGIC) + 2 + len(header) + 1) // 64) * 64 - len(_MAGIC) - 2
    return _MAGIC + struct.pack("<H", length) + header.ljust(length - 1) + b"\n" + array.astype(kind).tobytes()


def _read_array(files: dict[str, bytes], name: str, kind: str) -> NDArray[Any]:
    data = files[f"{name}.npy"]
    start = len(_MAGIC) + 2
    end = start + int.from_bytes(data[len(_MAGIC) : start], "little")
    header = _HEADER.fullmatch(data[start:end])
    if not data.startswith(_MAGIC) or header is None or header[1].decode() != kind:
        raise _Broken(f"its {name}.npy is no array of {kind}")
    shape = [int(size) for size in header.groups()[1:] if size is not None]
    if len(shape) != (2 if name == "values" else 1) or np.prod(shape, dtype=float) * 4 != len(data) - end:
        raise _Broken(f"its {name}.npy has not as many values as it says")
    return np.frombuffer(data, kind, offset=end).reshape(shape).astype(kind[1:], copy=True)


def _parts(forest: Forest) -> _Parts:
    """The trees of a forest, one behind the other."""
    trees = forest.trees
    counts = [[len(tree.feature), len(tree.values), tree.output] for tree in trees]
    nodes, leaves, outputs = np.array(counts, np.int32).T
    arrays = [np.concatenate(arrays) for arrays in list(zip(*(tree[:5] for tree in trees), strict=True))]
    return _Parts(nodes, leaves, outputs, *arrays)


def _join_trees(text: ModelText, parts: _Parts) -> Forest:
    """The forest of such arrays."""
    trees = text.forest.trees
    by_node = (parts.feature, parts.threshold, parts.left, parts.right)
    if not all(len(array) == trees for array in (parts.nodes, parts.leaves, parts.outputs)):
        raise _Broken(f"its arrays are not those of {trees} trees")
    if min(parts.nodes.min(initial=0), parts.leaves.min(initial=0)) < 0:
        raise _Broken("a tree has fewer nodes than none")
    nodes = np.concatenate([[0], np.cumsum(parts.nodes, dtype=np.int64)])
    leaves = np.concatenate([[0], np.cumsum(parts.leaves, dtype=np.int64)])
    if any(len(array) != nodes[-1] for array in by_node) or len(parts.values) != leaves[-1]:
        raise _Broken("its trees have not as many nodes and leaves as it says")
    made = []
    for tree, output in enumerate(parts.outputs):
        node, leaf = slice(nodes[tree], nodes[tree + 1]), slice(leaves[tree], leaves[tree + 1])
        feature, threshold, left, right = (
            parts.feature[node],
            parts.threshold[node],
            parts.left[node],
            parts.right[node],
        )
        made.append(Tree(feature, threshold, left, right, parts.values[leaf], int(output)))
    return Forest(text.forest.features, len(text.classes), text.forest.link, tuple(made))
