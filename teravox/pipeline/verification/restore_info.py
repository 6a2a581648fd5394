"""Makes an info anew that is lost or broken, by what the jobs of the ledger put into it before their first piece."""

from __future__ import annotations

from teravox.pipeline.errors import Fatal, TeravoxError
from teravox.pipeline.objects.sort import SORTS
from teravox.pipeline.verification.look import Look
from teravox.pipeline.verification.redo import PROVENANCE

KEY = "info"


def restore_info(look: Look) -> str | None:
    """Have every job of the ledger prepare and end once more, the first one first; why it could not be done, or None.

    Where no job can make an info, what was there is put back. Words that others than jobs put into it are lost.
    """
    store = look.store
    before, told = store.get_stored(KEY), store.get(PROVENANCE)
    store.delete([KEY])
    why = ""
    objects = {sort.one for sort in SORTS}
    for job in look.makers.jobs:
        try:
            opened = job.open()
            opened.prepare()
            if (
                job.ledger.finished() and job.record.kind.partition(" ")[0] not in objects
            ):  # these end by removing fragments
                opened.finish()
        except Fatal:  # it needs a layer that is there
            continue
        except TeravoxError as error:
            why = why or str(error)
    if told is not None and store.get(PROVENANCE) != told:
        store.put(PROVENANCE, told, content_type="application/json")
    if store.get(KEY) is not None:
        return None
    if before is not None:
        store.put_stored(KEY, *before, content_type="application/json")
    return why or "no job of the ledger has made it: write it again by hand, or copy it from where the layer came from"
