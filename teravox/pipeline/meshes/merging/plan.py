"""How large the parts of a merge of meshes are, and what they take."""

from __future__ import annotations

from teravox.pipeline.meshes.merging.memory import ROW, least_memory, most_memory
from teravox.pipeline.objects.plan import PartSize, Plan

SIZE = PartSize(least=1 << 20, most=1 << 26, a_request=4096, row=ROW, least_memory=least_memory)  # of faces


def memory_of(plan: Plan, limit: int) -> int:
    """What merging a part may take: all that it reads at once, if that is less than the limit."""
    largest = plan.largest
    return min(limit, most_memory(largest["labels"], largest["vertices"], largest["faces"]))
