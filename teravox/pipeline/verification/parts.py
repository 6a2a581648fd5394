"""The parts of a layer that can be verified, listed here and nowhere else; each is a file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.look import Look


class Part(Protocol):
    """One place of a layer that is looked at as a whole: a mip, a folder of meshes, a table.

    What it cannot check, because a place cannot be listed or an encoding is not installed, it counts as
    `look.counts["not checked: …"]`. It changes nothing, and holds no more than a few bytes of each object.
    """

    place: str  # as progress and messages name it: `mip 1`, `meshes in mesh_mip_0`

    def steps(self) -> int:
        """How many steps it is going to take, about: what `look.step` is told together."""

    def findings(self) -> Iterator[Finding]:
        """What is wrong, as it is found."""


FindParts = Callable[[Look], Iterable[Part]]


def finders() -> dict[str, FindParts]:
    """What `--only` may name, and what finds the parts of that name in a layer, in the order in which they are verified."""
    from teravox.pipeline.verification.fragments import find_fragments
    from teravox.pipeline.verification.images import find_images
    from teravox.pipeline.verification.layer_info import find_info
    from teravox.pipeline.verification.ledger_jobs import find_jobs
    from teravox.pipeline.verification.ledger_outputs import find_outputs
    from teravox.pipeline.verification.meshes import find_meshes
    from teravox.pipeline.verification.pyramid import find_pyramid
    from teravox.pipeline.verification.skeletons import find_skeletons
    from teravox.pipeline.verification.spatial_index import find_spatial_indices
    from teravox.pipeline.verification.tables import find_tables

    return {
        "info": find_info,
        "ledger": find_jobs,
        "images": find_images,
        "pyramid": find_pyramid,
        "meshes": find_meshes,
        "skeletons": find_skeletons,
        "fragments": find_fragments,
        "spatial": find_spatial_indices,
        "tables": find_tables,
        "files": find_outputs,
    }
