"""Does all stages of a labelling, and compares what came of it with cc3d on the whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from teravox.pipeline.box import Box
from teravox.pipeline.job import AnyJob
from teravox.tasks.image.ccl.faces import Faces
from teravox.tasks.image.ccl.links import Links
from teravox.tasks.image.ccl.relabel import Relabel
from teravox.tasks.image.ccl.resolve import Resolve

Array = NDArray[Any]  # of whatever a test asks for
Order = Callable[[list[Box]], list[Box]]
JOINING = ("group",)
RELABELLING = ("sharded", "compress", "compress_level")


def stages(source: str, dest: str, **options: Any) -> list[AnyJob]:
    """The jobs of a labelling, in their order."""
    faces = {name: value for name, value in options.items() if name not in (*JOINING, *RELABELLING)}
    base = {name: value for name, value in faces.items() if name != "encoding"}
    joining = base | {name: options[name] for name in JOINING if name in options}
    resolve = Resolve(source, dest, **joining)
    return [
        Faces(source, dest, **faces),
        Links(source, dest, **base),
        *(Resolve(source, dest, step=step, **joining) for step in range(1, resolve.steps + 1)),
        Relabel(source, dest, **options),
    ]


def do(jobs: list[AnyJob], order: Order = list) -> None:
    for job in jobs:
        job.prepare()
        for piece in order(list(job.pieces())):
            job.run(piece)
        job.finish()


def expected(voxels: Array, connectivity: Any, dust: int = 0) -> Array:
    """What cc3d makes of the whole volume, without what is too small."""
    voxels = voxels.astype(np.uint8) if voxels.dtype == np.bool_ else voxels  # of which cc3d 4.1.1 takes all
    labels = cc3d.connected_components(voxels, connectivity=connectivity)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.where(sizes[labels] >= max(dust, 1), labels, 0)


def assert_same_components(found: Array, wanted: Array) -> None:
    """Equal up to what the labels are called; and those that were found are called 1, 2, 3 and so on."""
    assert found.shape == wanted.shape
    pairs = np.unique(np.stack([found.ravel().astype(np.int64), wanted.ravel().astype(np.int64)]), axis=1)
    ours, theirs = pairs.tolist()
    assert len(set(ours)) == len(set(theirs)) == len(ours)
    assert all((a == 0) == (b == 0) for a, b in zip(ours, theirs, strict=True))
    assert sorted(set(ours) - {0}) == list(range(1, len(set(theirs) - {0}) + 1))
