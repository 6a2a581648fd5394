"""From labels to a model: what is learnt from is gathered and looked at, and a forest is trained with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from teravox import __version__
from teravox.kernels.learning.classes import Class, make_classes
from teravox.kernels.learning.selection import DEFAULT, Selection, lines
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.held_back import predict_held_back
from teravox.pipeline.learning.samples import Samples, gather
from teravox.pipeline.learning.wish import AT_MOST, USUAL, Wish, require_training

if TYPE_CHECKING:
    from teravox.kernels.learning.model import Model
    from teravox.kernels.learning.slic_tiles import Supervoxels
    from teravox.pipeline.learning.labels import Labels

Json = dict[str, Any]  # JSON may hold anything
Progress = Callable[[int], object]

FEWEST = 5  # samples of each class
FOLDS = 3  # tests of a model while it is made


def train_model(
    image: Layer,
    mip: int,
    labels: Labels,
    selection: Selection = DEFAULT,
    wish: Wish = USUAL,
    *,
    supervoxels: Supervoxels | None = None,
    box: Box | None = None,
    at_most: int | None = AT_MOST,
    fill_missing: bool = False,
    progress: Progress | None = None,
) -> Model:
    """A model of voxels, or of supervoxels, by all labels; its record says how it was made.

    `progress` is told how many samples were read, of supervoxels how many tiles.
    """
    from teravox.kernels.learning.model import Model

    require_training()
    samples = gather_samples(
        image,
        mip,
        labels,
        selection,
        supervoxels,
        box=box,
        at_most=at_most,
        seed=wish.seed,
        fill_missing=fill_missing,
        progress=progress,
    )
    classes = classes_of(labels, samples)
    forest = wish.train(samples.features, samples.labels, len(classes))
    x, y, z = map(float, image.scale(mip).resolution)
    return Model(
        unit="voxels" if supervoxels is None else "supervoxels",
        classes=classes,
        selection=selection,
        channels=image.info.num_channels,
        resolution=(z, y, x),
        forest=forest,
        supervoxels=None if supervoxels is None else supervoxels.to_json(),
        record={
            "image": image.url,
            "labels": labels.url,
            "mip": mip,
            "labelled": dict(zip((one.name for one in classes), samples.labelled, strict=True)),
            "samples": len(samples.labels),
            "method": wish.method,
            "trees": len(forest.trees),
            "leaves": wish.leaves,
            "seed": wish.seed,
            "weights": wish.weights,
            "features": lines(selection),
            "held back": _test(samples, classes, wish, (z, y, x)),
            "teravox": __version__,
        },
    )


def gather_samples(
    image: Layer,
    mip: int,
    labels: Labels,
    selection: Selection,
    supervoxels: Supervoxels | None = None,
    *,
    box: Box | None = None,
    at_most: int | None = AT_MOST,
    seed: int = 0,
    fill_missing: bool = False,
    progress: Progress | None = None,
) -> Samples:
    """What there is to learn from, voxels or supervoxels; BadInput where a class has too few."""
    import numpy as np

    if supervoxels is None:
        samples = gather(
            image,
            mip,
            labels,
            selection,
            box=box,
            at_most=at_most,
            seed=seed,
            fill_missing=fill_missing,
            progress=progress,
        )
    else:
        from teravox.pipeline.learning.supervoxel_samples import gather_supervoxels

        number = len(labels.classes) or 255
        found = gather_supervoxels(
            image,
            mip,
            labels,
            selection,
            supervoxels,
            classes=number,
            box=box,
            fill_missing=fill_missing,
            progress=progress,
        )
        number = len(labels.classes) or int(found.labels.max()) + 1
        voxels = np.bincount(found.labels, found.voxels, number).astype(int)
        samples = Samples(found.features, found.labels, found.coordinates, tuple(map(int, voxels)))
    _refuse_few(samples, classes_of(labels, samples), labels, "voxels" if supervoxels is None else "supervoxels")
    return samples


def classes_of(labels: Labels, samples: Samples) -> tuple[Class, ...]:
    """The classes of labels, by their numbers where they have no names."""
    return labels.classes or make_classes(f"class {number}" for number in range(1, len(samples.labelled) + 1))


def _refuse_few(samples: Samples, classes: tuple[Class, ...], labels: Labels, unit: str) -> None:
    import numpy as np

    if len(classes) < 2:
        raise BadInput(
            f"{labels.url} has labels of one class, {classes[0].name}; to tell classes apart, label another one"
        )
    counts = np.bincount(samples.labels, minlength=len(classes))
    for one, number in zip(classes, counts.tolist(), strict=True):
        if number < FEWEST:
            raise BadInput(
                f"{labels.url} has {number or 'no'} labelled {unit} of the class {one.name}, and at least {FEWEST} are "
                "needed: label more of it"
            )


def _test(samples: Samples, classes: tuple[Class, ...], wish: Wish, resolution: tuple[float, float, float]) -> Json:
    """How many labels are told right that were held back; why not, where they cannot be."""
    from teravox.kernels.learning.scores import likeliest

    try:
        found = predict_held_back(samples, [one.name for one in classes], wish, FOLDS, resolution)
    except BadInput as reason:
        return {"accuracy": None, "reason": str(reason)}
    right = likeliest(found) == samples.labels
    by_class = {one.name: float(right[samples.labels == number].mean()) for number, one in enumerate(classes)}
    return {"accuracy": float(right.mean()), "by class": by_class}
