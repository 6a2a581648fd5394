"""Writes the memory that a plan asks for into an overlay:

teravox plan pipeline.toml --output plan.json
python k8s/memory.py plan.json > k8s/eks/memory.json
"""

# ruff: noqa: INP001  # a script

from __future__ import annotations

import json
import sys

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.planning.plan_file import read_plan
from teravox.pipeline.slurm.array import size_array
from teravox.pipeline.slurm.granting import grant

RESOURCES = "/spec/template/spec/containers/0/resources"


def patch(plan: str) -> list[dict[str, str]]:
    """The patch that gives each worker, which does one task at a time, what the largest task of a plan needs."""
    granted = grant(read_plan(plan), memory=None, workers=None, seconds=None)
    size = size_array(task_bytes=granted.memory, workers=1, cores=1, most_bytes=None, most_tasks=None)
    for note in granted.notes:
        print(note, file=sys.stderr)
    return [
        {"op": "replace", "path": f"{RESOURCES}/{which}/memory", "value": f"{size.megabytes}Mi"}
        for which in ("requests", "limits")
    ]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say which plan: python k8s/memory.py plan.json > k8s/eks/memory.json")
    try:
        made = patch(sys.argv[1])
    except TeravoxError as error:
        sys.exit(str(error))
    print(json.dumps(made, indent=2))
