"""A small image to label, and sessions that end with their tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer

from teravox.cli.main import main
from teravox.kernels.learning.classes import make_classes
from teravox.kernels.learning.selection import Selection, matrix
from teravox.kernels.learning.slic_tiles import Supervoxels
from teravox.pipeline.labelling.session import LabelSession
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.labels import create_labels

SELECTION = matrix(("gaussian-smoothing", "gaussian-gradient-magnitude"), (0.7, 1.6))
CLASSES = make_classes(["stripes", "plain"])
Begin = Callable[..., LabelSession]


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Layer:
    """Left of the middle it is striped, and right of it plain; two mips, anisotropic, away from the origin."""
    random = np.random.default_rng(0)
    x, y, _ = np.indices((96, 64, 24))
    striped = (x < 48) & ((x + y) % 6 < 3)
    voxels = np.where(striped, 200, 90) + random.integers(-20, 20, x.shape)
    array = np.asfortranarray(voxels[..., None].astype(np.uint8))
    path = make_layer(
        tmp_path_factory.mktemp("image") / "em", array, chunk=(32, 32, 16), offset=(10, 20, 30), resolution=(8, 8, 20)
    )
    assert main(["image", "downsample", path, "--num-mips", "1", "--quiet"]) == 0
    return Layer.open(path)


@pytest.fixture
def begin(image: Layer, tmp_path: Path) -> Iterator[Begin]:
    """Begins sessions, which are closed when the test ends."""
    with ExitStack() as stack:

        def begin(
            folder: Path = tmp_path / "labels",
            *,
            image: Layer = image,
            mip: int = 0,
            selection: Selection = SELECTION,
            supervoxels: Supervoxels | None = None,
            model: Path | None = None,
        ) -> LabelSession:
            labels = create_labels(image, mip, str(folder), CLASSES)
            session = LabelSession(
                image,
                labels,
                selection,
                supervoxels=supervoxels,
                model_output=None if model is None else str(model),
            )
            stack.callback(session.close)
            return session

        yield begin
