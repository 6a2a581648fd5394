"""Finds the merges that the plans beside the fragments tell of: the layer does not name their folders before they are finished."""

from __future__ import annotations

import re
from collections.abc import Iterator

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.forged import fragments_folder
from teravox.pipeline.objects.plan import read_plan
from teravox.pipeline.objects.result_folder import stem_of
from teravox.pipeline.objects.sort import SORTS
from teravox.pipeline.storage.urls import confine

PLAN = re.compile(r".+/[0-9a-f]{16}/merge-[0-9a-f]{16}\.json")


def folders_of_merges(layer: Layer) -> Iterator[str]:
    """The folders into which fragments of this layer are merged, or were."""
    if layer.url.startswith(("http://", "https://")):  # which cannot be listed
        return
    for base in sorted(_bases(layer)):
        for key in layer.store.list(f"{fragments_folder(base)}/"):
            if PLAN.fullmatch(key):
                try:
                    plan = read_plan(layer.store, key)
                except BadInput:  # whoever verifies fragments has told
                    continue
                if plan is not None:
                    yield confine(plan.folder, layer.url)


def _bases(layer: Layer) -> set[str]:
    named = [(sort.one, layer.raw.get(sort.word)) for sort in SORTS]
    stems = {stem_of(folder.strip("/")) for _, folder in named if isinstance(folder, str)}
    return {one for one, _ in named} | {stem for stem in stems if stem}
