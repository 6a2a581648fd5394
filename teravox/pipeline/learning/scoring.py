"""How good a classifier is on labels that it has not learnt from, as figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.kernels.learning.classes import Class
from teravox.pipeline.errors import BadInput
from teravox.pipeline.learning.held_back import predict_held_back
from teravox.pipeline.learning.samples import Samples
from teravox.pipeline.learning.wish import Wish

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.kernels.learning.model import Model
    from teravox.kernels.learning.scores import ClassScore, Counts

    Table = NDArray[Any]  # of counts

Json = dict[str, Any]  # JSON may hold anything
Progress = Callable[[int], object]


class Scores(NamedTuple):
    """What came of a test."""

    image: str
    labels: str
    how: str  # in a sentence
    classes: tuple[Class, ...]
    samples: tuple[int, ...]  # by class
    confusion: Table  # by true class, and by class that was said
    by_class: tuple[ClassScore, ...]
    counts: tuple[Counts, ...]  # by class

    @property
    def accuracy(self) -> float:
        """The share of samples that are told right."""
        return float(self.confusion.trace() / self.confusion.sum())

    @property
    def balanced_accuracy(self) -> float:
        """The mean of the shares of each class."""
        shares = [one.recall for one in self.by_class if one.recall is not None]
        return sum(shares) / len(shares)

    def to_json(self) -> Json:
        """The figures without the curves."""
        return {
            "image": self.image,
            "labels": self.labels,
            "how": self.how,
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
            "confusion": self.confusion.tolist(),
            "classes": [
                {"name": one.name, "samples": number, **score._asdict()}
                for one, number, score in zip(self.classes, self.samples, self.by_class, strict=True)
            ],
        }


def cross_validate(
    samples: Samples,
    classes: tuple[Class, ...],
    wish: Wish,
    folds: int,
    resolution: tuple[float, float, float],
    places: tuple[str, str],
    progress: Progress | None = None,
) -> Scores:
    """The scores of classifiers that are each trained on all but some places, and tested there."""
    found = predict_held_back(samples, [one.name for one in classes], wish, folds, resolution, progress)
    how = (
        f"The labels were cut into blocks of the volume, and these into {folds} parts at most. Each part was predicted by a "
        "classifier that had learnt from the others, so no voxel was tested beside one that was learnt from, but where "
        "two blocks meet."
    )
    return _score(samples, classes, found, how, places)


def score_model(samples: Samples, classes: tuple[Class, ...], model: Model, places: tuple[str, str]) -> Scores:
    """The scores of a model on labels, which should not be those that it was made of."""
    if len(classes) != len(model.classes):
        raise BadInput(
            f"{places[1]} has {len(classes)} classes, and the model {len(model.classes)}: {', '.join(model.names)}. Test it "
            "on labels of the same classes"
        )
    how = "A model was tested that was made before. If it has learnt from these labels, it seems better than it is."
    return _score(samples, model.classes, model.forest.predict(samples.features), how, places)


def _score(
    samples: Samples, classes: tuple[Class, ...], probabilities: NDArray[Any], how: str, places: tuple[str, str]
) -> Scores:
    import numpy as np

    from teravox.kernels.learning.scores import confusion, count_curve, likeliest, score_classes

    truth = samples.labels
    return Scores(
        image=places[0],
        labels=places[1],
        how=how,
        classes=classes,
        samples=tuple(map(int, np.bincount(truth, minlength=len(classes)))),
        confusion=confusion(truth, likeliest(probabilities), len(classes)),
        by_class=tuple(score_classes(truth, probabilities)),
        counts=tuple(count_curve(truth == one, probabilities[:, one]) for one in range(len(classes))),
    )
