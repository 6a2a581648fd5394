"""`teravox skeleton clean`: fragments and earlier skeletons are removed for ever."""

from __future__ import annotations

from typing import ClassVar

from teravox.pipeline.objects.removal.clean import CleanObjects
from teravox.pipeline.objects.sort import SKELETON, Sort


class Clean(CleanObjects, frozen=True):
    """Remove fragments and skeletons that a layer does not name any more.

    These are what skeleton forge, merge and transfer have left beside the skeletons of a layer. It says what it is going
    to remove and asks, unless --yes is given. Skeletons that the layer names stay, and so does what others have made.
    Where the ledger knows a forge, merge or transfer of these skeletons that is not finished, nothing is removed.

        teravox skeleton clean ./seg
    """

    sort: ClassVar[Sort] = SKELETON
