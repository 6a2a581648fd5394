"""A project as a model: the forest that it keeps, with the features that it takes."""

from __future__ import annotations

from teravox.kernels.learning.forest import Forest
from teravox.kernels.learning.ilastik.project import Project, read_project
from teravox.kernels.learning.model import Model


def model_of_project(data: bytes, name: str) -> Model:
    """The model; ValueError where the project is none of pixel classification, is damaged, or was not trained."""
    project = read_project(data, name)
    if project.forest is None:
        raise ValueError(
            f"{name}: it keeps no classifier. Train it in ilastik with Live Update and save it, "
            f"or train one from its labels with: teravox learn import {name} -o NAME.model"
        )
    return as_model(project, project.forest, {"classifier": "the project's own"})


def as_model(project: Project, forest: Forest, record: dict[str, object]) -> Model:
    """A model of the project's classes and features; ilastik's sigmas count in voxels along every axis."""
    model = Model(
        unit="voxels",
        classes=project.classes,
        selection=project.selection,
        channels=project.channels,
        resolution=None,
        forest=forest,
        supervoxels=None,
        record={"made from": "a project of ilastik", "version of ilastik": project.version, **record},
    )
    try:
        model.check()
    except ValueError as error:
        raise ValueError(f"{project.name}: {error}") from None
    return model
