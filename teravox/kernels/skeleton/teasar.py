"""What may be chosen where the skeleton of a label is traced by TEASAR."""

from __future__ import annotations

from typing import NamedTuple


class Teasar(NamedTuple):
    """Lengths are nanometres; the radius of a voxel is its distance to the label's boundary."""

    scale: float = 4.0  # a path accounts for all voxels nearer to a vertex than scale * its radius + const
    const: float = 10.0
    pdrf_scale: float = 100_000.0  # what a voxel at the boundary costs a path; one in the middle costs next to nothing
    pdrf_exponent: float = 4.0  # how fast the costs fall towards the middle
    soma_detection_threshold: float = 1100.0  # a label of a larger radius is filled, and measured again
    soma_acceptance_threshold: float = 3500.0  # one of a larger radius then has a soma: paths begin in its middle
    soma_invalidation_scale: float = 1.0  # the soma is a ball of scale * its radius + const
    soma_invalidation_const: float = 300.0
    max_paths: int | None = None  # paths to draw at most; those to the targets that are given come first
    fix_branching: bool = True  # paths end where they meet one another, and not at the root
