"""How well encodings pack voxels, where nothing better is known than what was measured once."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from teravox.pipeline.layers.info import Info


class Ratio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many bytes are stored, at mip 0."""

    image: float | None = None  # for each byte of voxels
    segmentation: float | None = None  # for each voxel, whose type hardly matters


class Ratios(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By encoding: as it is, and compressed with gzip on top."""

    plain: Mapping[str, Ratio] = {}
    gzip: Mapping[str, Ratio] = {}

    def bytes_of_voxel(self, encoding: str, info: Info, *, packed: bool) -> float | None:
        """What a voxel takes as it is stored; None where it was not measured."""
        voxel = info.itemsize * info.num_channels
        if encoding == "raw" and not packed:
            return voxel
        found = (self.gzip if packed else self.plain).get(encoding)
        if found is None:
            return None
        if info.type == "segmentation":
            return found.segmentation
        return None if found.image is None else found.image * voxel
