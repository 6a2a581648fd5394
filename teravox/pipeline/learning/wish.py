"""How a classifier is trained, each option worded once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from teravox.pipeline.errors import BadUsage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.learning.forest import Forest

Method = Literal["boosting", "forest"]
Weights = Literal["balanced", "labels"]

AT_MOST = 100_000  # samples of each class, where nothing else is said
WORTH_THREADS = 20_000_000  # numbers to learn from; with fewer, threads wait for each other most of the time


class Wish(NamedTuple):
    """How a classifier is trained."""

    method: Method = "boosting"
    trees: int | None = None  # as many as are usual for the method
    leaves: int = 31
    seed: int = 0
    weights: Weights = "balanced"

    def train(self, features: NDArray[np.float32], labels: NDArray[np.int64], classes: int) -> Forest:
        """The forest of these samples."""
        import numpy as np

        from teravox.kernels.learning.train import train_forest
        from teravox.pipeline.limits import granted_cores

        return train_forest(
            features,
            labels,
            classes,
            weights=None if self.weights == "balanced" else np.ones(len(labels)),
            method=self.method,
            trees=self.trees,
            leaves=self.leaves,
            seed=self.seed,
            threads=granted_cores() if features.size > WORTH_THREADS else 1,
        )


USUAL = Wish()


def require_training() -> None:
    """Raise BadUsage where what training needs is not installed."""
    from teravox.kernels.learning.train import require_libraries

    try:
        require_libraries()
    except ModuleNotFoundError as missing:
        raise BadUsage(str(missing)) from missing
