"""Skeletons as CloudVolume reads them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from skeletons.quality import Skeleton


def read_skeletons(layer: str | Path, labels: Iterable[int]) -> dict[int, Skeleton]:
    """The skeletons of those of the labels that have one."""
    from cloudvolume import CloudVolume

    source = CloudVolume(f"file://{Path(layer).absolute()}", progress=False).skeleton
    is_sharded = "sharding" in source.meta.info
    found = {label: _get_sharded(source, label) if is_sharded else _get_legacy(source, label) for label in labels}
    return {label: _skeleton(skeleton) for label, skeleton in found.items() if skeleton is not None}


def _get_sharded(source: Any, label: int) -> Any:
    from cloudvolume.exceptions import EmptyFileException

    try:
        return source.get(label)
    except EmptyFileException:  # its word for a label that a shard does not have
        return None


def _get_legacy(source: Any, label: int) -> Any:
    found = source.get([label], allow_missing=True)
    return found[0] if found else None


def _skeleton(found: Any) -> Skeleton:  # of CloudVolume, which has no types
    radius = getattr(found, "radius", np.full(len(found.vertices), np.nan))
    return Skeleton(found.vertices.astype(np.float64), found.edges.astype(np.int64), radius.astype(np.float64))
