"""What the kinds that copy skeletons have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.objects.copying.job import CopyObjects

if TYPE_CHECKING:
    from teravox.pipeline.objects.copying.ways import Ways


class CopySkeletons(CopyObjects, frozen=True):
    """A job that copies skeletons; its kind says what it wishes."""

    def ways(self) -> Ways:
        from teravox.pipeline.skeletons.copying import SkeletonWays

        return SkeletonWays()
