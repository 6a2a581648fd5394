"""`teravox mesh clean`: fragments and earlier meshes are removed for ever."""

from __future__ import annotations

from typing import ClassVar

from teravox.pipeline.objects.removal.clean import CleanObjects
from teravox.pipeline.objects.sort import MESH, Sort


class Clean(CleanObjects, frozen=True):
    """Remove fragments and meshes that a layer does not name any more.

    These are what mesh forge, merge and transfer have left beside the meshes of a layer. It says what it is going
    to remove and asks, unless --yes is given. Meshes that the layer names stay, and so does what others have made.
    Where the ledger knows a forge, merge or transfer of these meshes that is not finished, nothing is removed.

        teravox mesh clean ./seg
    """

    sort: ClassVar[Sort] = MESH
