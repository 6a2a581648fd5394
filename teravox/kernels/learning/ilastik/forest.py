"""The random forest that a project keeps."""

from __future__ import annotations

import re

import numpy as np

from teravox.kernels.learning.forest import Forest
from teravox.kernels.learning.ilastik.hdf5 import Hdf5, children, find, numbers, text
from teravox.kernels.learning.tree import Tree
from teravox.kernels.learning.vigra_trees import decode_tree

GROUP = "PixelClassification/ClassifierForests"
KIND = "ParallelVigraRf"
MOST_TREES = 10_000
USUAL = (
    ("_options/predict_weighted_", 0, "weights its leaves"),
    ("_ext_param/problem_type_", 1, "tells numbers and not classes"),
)


def read_forest(file: Hdf5, classes: int) -> Forest | None:
    """The trees of all parts of the forest; None where the project was not trained."""
    group = find(file, GROUP)
    if group is None:
        return None
    kind = _kind(text(group, "pickled_type"))
    if kind not in (None, KIND):
        raise ValueError(
            f"its classifier is {kind}, which is stored as a program that only ilastik may run: "
            f"choose {KIND} in ilastik, or train anew with: teravox learn import --retrain"
        )
    trees: list[Tree] = []
    columns = 0
    for _, part in children(file, GROUP, "Forest"):
        here = _number(part, "_ext_param/column_count_")
        if columns not in (0, here):
            raise ValueError(f"parts of its forest take {columns} and {here} features")
        columns = here
        trees.extend(_read_part(part, columns, classes))
        if len(trees) > MOST_TREES:
            raise ValueError(f"its forest has more than {MOST_TREES:,} trees")
    return Forest(columns, classes, "mean", tuple(trees)) if trees else None


def _read_part(part: Hdf5, columns: int, classes: int) -> list[Tree]:
    known = numbers(part, "_ext_param/labels", 1, "iuf").astype(np.int64)
    if not len(known) or known.min() < 1 or known.max() > classes or len(set(known.tolist())) < len(known):
        raise ValueError(f"its forest tells apart the classes {known.tolist()}, but those named are 1 to {classes}")
    for path, usual, otherwise in USUAL:
        if find(part, path) is not None and _number(part, path) != usual:
            raise ValueError(f"its forest {otherwise}, which is not read here")
    return [_read_tree(tree, columns, known, classes) for _, tree in children(part, "", "Tree_")]


def _read_tree(tree: Hdf5, columns: int, known: np.ndarray[tuple[int, ...], np.dtype[np.int64]], classes: int) -> Tree:
    topology = numbers(tree, "topology", 1, "iu").astype(np.int64)
    parameters = numbers(tree, "parameters", 1, "f").astype(np.float64)
    decoded = decode_tree(topology, parameters, columns, len(known))
    values = np.zeros((len(decoded.values), classes), np.float32)  # classes without labels have no share
    values[:, known - 1] = decoded.values
    return decoded._replace(values=values)


def _number(group: Hdf5, path: str) -> int:
    found = numbers(group, path, 1)
    if found.size != 1 or not np.isfinite(found[0]) or not 0 <= found[0] < 1 << 31:
        raise ValueError(f"there is no number at {path}")
    return int(found[0])


def _kind(pickled: str | None) -> str | None:
    """Which classifier it is, out of the text of a pickle, which is never loaded."""
    named = re.findall(r"(\w+?)LazyflowClassifier\b", pickled or "")  # its module, and then its class
    return str(named[-1]) if named else None
