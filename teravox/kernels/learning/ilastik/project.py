"""A project as a whole: what it is, what it was trained on, and what it has learnt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from teravox.kernels.learning.classes import Class
from teravox.kernels.learning.forest import Forest
from teravox.kernels.learning.ilastik.features import read_selection
from teravox.kernels.learning.ilastik.forest import read_forest
from teravox.kernels.learning.ilastik.hdf5 import Hdf5, open_hdf5, text
from teravox.kernels.learning.ilastik.labels import LabelBlock, read_classes, read_labels
from teravox.kernels.learning.ilastik.lanes import Lane, read_lanes
from teravox.kernels.learning.selection import Selection

WORKFLOW = "Pixel Classification"
FILTERS_OF_TODAY = (1, 2)  # the version that began with them


@dataclass(frozen=True)
class Project:
    """What is known of a project without its images and labels."""

    name: str  # as messages have it
    version: str
    classes: tuple[Class, ...]
    selection: Selection
    channels: int
    lanes: tuple[Lane, ...]
    forest: Forest | None


def read_project(data: bytes, name: str, *, with_forest: bool = True) -> Project:
    """Everything but the labels; ValueError where it is no project of pixel classification, or a damaged one."""
    with open_hdf5(data, name) as file:
        version = _check_workflow(file)
        lanes = read_lanes(file)
        classes = read_classes(file)
        forest = read_forest(file, len(classes)) if with_forest else None
        selection = read_selection(file, flat_image=bool(lanes) and all(lane.is_flat for lane in lanes))
        selection, channels = _fit(selection, lanes, forest)
        if forest is not None:
            _check_filters(version, selection)
        return Project(name, version, classes, selection, channels, lanes, forest)


def read_lane_labels(data: bytes, project: Project, lane: int) -> Iterator[LabelBlock]:
    """The labelled blocks of one of its images."""
    with open_hdf5(data, project.name) as file:
        yield from read_labels(file, lane, project.lanes[lane], len(project.classes))


def _check_workflow(file: Hdf5) -> str:
    workflow, version = text(file, "workflowName"), text(file, "ilastikVersion")
    if workflow is None or version is None:
        raise ValueError("it is no project of ilastik: it names no workflow and version")
    if workflow != WORKFLOW:
        raise ValueError(f"its workflow is {workflow}, and only {WORKFLOW} is read")
    return version


def _fit(selection: Selection, lanes: tuple[Lane, ...], forest: Forest | None) -> tuple[Selection, int]:
    """The selection and the number of channels that make the forest's columns.

    Old projects of images of one slice say nothing of 2-D: there the number of eigenvalues tells.
    """
    said = lanes[0].size("c") if lanes else None
    if forest is None:
        return selection, said or 1
    flat = Selection(tuple(one._replace(flat=True) for one in selection))
    for channels in (said, *range(1, 65)):
        for chosen in (selection, flat):
            if channels is not None and chosen.columns(channels) == forest.features:
                return chosen, channels
    raise ValueError(
        f"its forest takes {forest.features} features, and those that are chosen are {selection.columns()} for each "
        "channel: train it again in ilastik, and save it"
    )


def _check_filters(version: str, selection: Selection) -> None:
    """Refuse a forest whose features would be other numbers today: scales of the structure tensor were used the other way round."""
    said = re.match(r"(\d+)\.(\d+)", version)
    old = said is not None and (int(said[1]), int(said[2])) < FILTERS_OF_TODAY
    if old and any(one.filter == "structure-tensor-eigenvalues" for one in selection):
        raise ValueError(
            f"its forest was trained by ilastik {version}, whose structure tensors were others than those since 1.2: train it "
            "again there and save it, or from its labels with: teravox learn import --retrain"
        )
