"""Verifies a folder of meshes or of skeletons: what is the same for both, whatever form the objects have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.source import ObjectSource
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.object_folder import Place, count_steps, folder_of, merger_of
from teravox.pipeline.verification.object_table import compare_table

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.objects.sort import Sort
    from teravox.pipeline.verification.look import Look

S = TypeVar("S", bound=ObjectSource)
Open = Callable[
    ["Layer", str], tuple[dict[str, Any], S]
]  # the info, as JSON, and what reads the objects; may raise BadInput
Check = Callable[[Place, S, set[str]], Iterator[Finding]]  # given the keys that are known to be damaged


def find_objects(look: Look, sort: Sort, open: Open[S], check: Check[S]) -> Iterable[ObjectsPart[S]]:
    """The folder that a layer names for this sort, if it names one."""
    folder = folder_of(look, sort)
    return [] if folder is None else [ObjectsPart(look, sort, folder, open, check)]


class ObjectsPart(Generic[S]):
    """The objects in a folder of a layer. Of a key that is known to be damaged nothing more is told."""

    def __init__(self, look: Look, sort: Sort, folder: str, open: Open[S], check: Check[S]) -> None:
        self.place = f"{sort.many} in {folder}"
        self._look = look
        self._sort = sort
        self._folder = folder
        self._open = open
        self._check = check

    def steps(self) -> int:
        return count_steps(self._look, self._folder)

    def findings(self) -> Iterator[Finding]:
        look = self._look
        assert look.layer is not None  # which names the folder
        try:
            raw, source = self._open(look.layer, self._folder)
        except BadInput as error:
            yield Finding("invalid", f"{self._folder}/info", str(error), merger_of(look, self._folder))
            return
        place = Place(look, look.layer, self._sort, self._folder, raw)
        unknown = list(place.check_info())
        yield from unknown
        known = set()
        for finding in place.compare():
            known.add(finding.key)
            yield finding
        if not unknown:
            yield from (finding for finding in self._check(place, source, known) if finding.key not in known)
            yield from compare_table(look, look.layer, self._sort, source)
