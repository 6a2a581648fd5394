"""Sets that are joined one by one, for other compiled loops: each set is known by one of its members."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Parents = NDArray[np.signedinteger[Any]]  # of each member another one of its set, up to the one that stands for it


@compiled
def find(parents: Parents, member: int) -> int:
    """The member that stands for a set."""
    while parents[member] != member:
        parents[member] = parents[parents[member]]
        member = int(parents[member])
    return member


@compiled
def unite(parents: Parents, a: int, b: int) -> bool:
    """Join the sets of two members, under the lower one; whether they were two."""
    a, b = find(parents, a), find(parents, b)
    if a == b:
        return False
    if a < b:
        parents[b] = a
    else:
        parents[a] = b
    return True
