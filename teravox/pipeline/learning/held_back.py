"""What classifiers say of samples that they have not learnt from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput
from teravox.pipeline.learning.wish import Wish

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.segmentation.scale import Zyx
    from teravox.pipeline.learning.samples import Samples

Progress = Callable[[int], object]


def predict_held_back(
    samples: Samples, names: Sequence[str], wish: Wish, folds: int, resolution: Zyx, progress: Progress | None = None
) -> NDArray[np.float32]:
    """The probabilities of the classes, by sample: each is told by a classifier of the samples in other places.

    BadInput where a class has labels in one place only. `progress` is told of each fold.
    """
    import numpy as np

    from teravox.kernels.learning.folds import LonelyClass, assign_folds

    try:
        fold = assign_folds(samples.coordinates, samples.labels, folds, resolution)
    except LonelyClass as lonely:
        raise BadInput(
            f"all labels of the class {names[lonely.number]} lie in one place, so none can be held back to test with: "
            "label it in other places too"
        ) from None
    result = np.empty((len(samples.labels), len(names)), np.float32)
    for one in range(int(fold.max()) + 1):
        held = fold == one
        if len(np.unique(samples.labels[~held])) < 2:
            raise BadInput(
                f"nearly all labels lie in one place, so that {folds} tests cannot be made: label other places too"
            )
        forest = wish.train(samples.features[:, ~held], samples.labels[~held], len(names))
        result[held] = forest.predict(samples.features[:, held])
        if progress is not None:
            progress(1)
    return result
