"""Writes small projects of ilastik, laid out as its own are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py  # type: ignore[import-untyped]  # it has no types
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of numbers

FILTERS = (
    "GaussianSmoothing",
    "LaplacianOfGaussian",
    "GaussianGradientMagnitude",
    "DifferenceOfGaussians",
    "StructureTensorEigenvalues",
    "HessianOfGaussianEigenvalues",
)
SCALES = (0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
LEAF = 0x40000000
SMOOTH = (("GaussianSmoothing", 0.3),)


class Split(NamedTuple):
    """A node of a tree, or where it has no column: a leaf, with its shares."""

    column: int | None
    threshold: float = 0.0
    less: Any = None  # another Split
    rest: Any = None
    shares: tuple[float, ...] = ()


def leaf(*shares: float) -> Split:
    return Split(None, shares=shares)


def rows_of(tree: Split, columns: int, classes: int) -> tuple[list[int], list[float]]:
    """A tree as vigra writes it, depth first."""
    topology: list[int] = [columns, classes]
    parameters: list[float] = []
    _append(tree, topology, parameters)
    return topology, parameters


def _append(node: Split, topology: list[int], parameters: list[float]) -> int:
    at = len(topology)
    if node.column is None:
        topology += [LEAF, len(parameters)]
        parameters += [9.0, *node.shares]
        return at
    topology += [0, len(parameters), 0, 0, node.column]
    parameters += [1.0, node.threshold]
    topology[at + 2] = _append(node.less, topology, parameters)
    topology[at + 3] = _append(node.rest, topology, parameters)
    return at


def tags(axes: str) -> str:
    return json.dumps({"axes": [{"key": key, "typeFlags": 2, "resolution": 0, "description": ""} for key in axes]})


def write_forest(
    file: Any,
    trees: Sequence[Split],
    columns: int,
    labels: Sequence[int],
    parts: int = 2,  # h5py has no types
) -> None:
    forests = file.require_group("PixelClassification/ClassifierForests")
    forests["pickled_type"] = (
        b"clazyflow.classifiers.parallelVigraRfLazyflowClassifier\nParallelVigraRfLazyflowClassifier\np0\n."
    )
    forests["known_labels"] = np.array(labels, np.uint32)
    for number in range(parts):
        forest = forests.create_group(f"Forest{number:04d}")
        forest["_ext_param/column_count_"] = np.array([float(columns)])
        forest["_ext_param/labels"] = np.array(labels, np.uint32)
        forest["_ext_param/problem_type_"] = np.array([1.0])
        forest["_options/predict_weighted_"] = np.array([0.0])
        for at, tree in enumerate(trees[number::parts]):
            topology, parameters = rows_of(tree, columns, len(labels))
            forest[f"Tree_{at}/topology"] = np.array(topology, np.int32)
            forest[f"Tree_{at}/parameters"] = np.array(parameters, np.float64)


def write_project(
    path: Path,
    *,
    trees: Sequence[Split] = (),
    columns: int = 1,
    classes: Sequence[str] = ("cell", "rest"),
    known: Sequence[int] | None = None,
    chosen: Sequence[tuple[str, float]] = SMOOTH,
    flat: bool | Sequence[bool] | None = False,
    axes: str = "zyx",
    shape: tuple[int, ...] | None = (16, 16, 16),
    labels: Sequence[tuple[tuple[int, ...], Array]] = (),
    inside: Array | None = None,
    data: str = "raw.npy",
    workflow: str = "Pixel Classification",
    version: str = "1.4.1b15",
) -> Path:
    """A project with one image; `labels` are corners and blocks in the order of its axes, and `inside` embeds the image."""
    with h5py.File(path, "w") as file:
        file["workflowName"], file["ilastikVersion"] = workflow.encode(), version.encode()
        features = file.create_group("FeatureSelections")
        features["FeatureIds"] = np.array([name.encode() for name in FILTERS])
        scales = sorted({*SCALES, *(sigma for _, sigma in chosen)})
        features["Scales"] = np.array(scales)
        matrix = np.zeros((len(FILTERS), len(scales)), np.bool_)
        for name, sigma in chosen:
            matrix[FILTERS.index(name), scales.index(sigma)] = True
        features["SelectionMatrix"] = matrix
        if flat is not None:
            every = [flat] * len(scales) if isinstance(flat, bool) else list(flat)
            features["ComputeIn2d"] = np.array(every if len(every) > 1 else every[0])
        learnt = file.create_group("PixelClassification")
        learnt["LabelNames"] = np.array([name.encode() for name in classes])
        learnt["LabelColors"] = np.array([[200 - number, number, 17] for number in range(len(classes))])
        learnt.create_group("LabelSets/labels000")
        for number, (corner, block) in enumerate(labels):
            one = learnt.create_dataset(f"LabelSets/labels000/block{number:04d}", data=block)
            ends = [start + length for start, length in zip(corner, block.shape, strict=True)]
            one.attrs["blockSlice"] = f"[{','.join(f'{a}:{b}' for a, b in zip(corner, ends, strict=True))}]"
        if trees:
            write_forest(file, trees, columns, known or range(1, len(classes) + 1))
        info = file.create_group("Input Data/infos/lane0000/Raw Data")
        info["axistags"], info["location"], info["datasetId"] = tags(axes), b"FileSystem", b"one"
        info["filePath"] = data.encode()
        if shape is not None:
            info["shape"] = np.array(shape)
        if inside is not None:
            del info["location"]
            info["location"] = b"ProjectInternal"
            file.create_dataset("Input Data/local_data/one", data=inside, compression="gzip", chunks=True)
    return path
