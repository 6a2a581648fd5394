"""Traces skeletons by kimimaro, which ours are compared with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.skeleton.skeleton import Skeleton
    from teravox.pipeline.skeletons.forging.tracing import Tracing


def trace_by_kimimaro(
    components: NDArray[np.uint32], chosen: NDArray[np.int64], tracing: Tracing
) -> Iterator[tuple[int, Skeleton]]:
    """The skeletons of chosen components; kimimaro measures distances and finds the voxels of the sides by itself."""
    import kimimaro
    import numpy as np

    from teravox.kernels.mesh.numbering import renumber

    table = np.zeros(int(components.max()) + 1, np.uint32)
    table[chosen] = chosen
    flat = components.reshape(-1, order="F")
    renumber(flat, table, flat)
    parameters: dict[str, Any] = tracing.teasar._asdict()  # Any: numbers, and None for no limit
    fix_branching = parameters.pop("fix_branching")
    if parameters["pdrf_exponent"].is_integer():  # as a decimal, kimimaro does not take it
        parameters["pdrf_exponent"] = int(parameters["pdrf_exponent"])
    found = kimimaro.skeletonize(
        components,
        teasar_params=parameters,
        anisotropy=tracing.step,
        dust_threshold=0,
        progress=False,
        fix_branching=fix_branching,
        fix_borders=tracing.fix_borders,
        in_place=True,
        parallel=1,
    )
    for component in chosen.tolist():
        if component in found:
            yield component, _convert(found[component], tracing.step)


def _convert(found: Any, step: tuple[float, float, float]) -> Skeleton:  # Any: osteoid brings no types
    """A skeleton of kimimaro, whose vertices are the corners of voxels in nanometres, as ours."""
    import numpy as np

    from teravox.kernels.skeleton.skeleton import Skeleton

    vertices = np.rint(found.vertices / np.array(step)).astype(np.int32)
    return Skeleton(vertices, found.edges.astype(np.uint32), found.radii.astype(np.float32), {}).canonical()
