"""Says where to label next, one slice after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.kernels.learning.selection import Selection
from teravox.pipeline.labelling.news import News
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.axes import AnyAxis
from teravox.pipeline.learning.labels import Labels
from teravox.pipeline.learning.suggestion import Suggestion, suggest

if TYPE_CHECKING:
    from teravox.kernels.learning.model import Model

SLICES = 12  # that are looked at: people wait for it
NUMBER = 5  # suggestions that are made at once

Json = dict[str, Any]  # JSON may hold anything


class Guide:
    """The suggestions for the labels of now; with other labels they are made anew."""

    def __init__(self, image: Layer, mip: int, labels: Labels, selection: Selection) -> None:
        self._image = image
        self._mip = mip
        self._labels = labels
        self._selection = selection
        self._made_for: tuple[AnyAxis, int] | None = None
        self._found: list[Suggestion] = []
        self._number = 0

    def next(self, axis: AnyAxis, version: int, model: Model | None, news: News) -> Json:
        """The next suggestion along an axis, with the reason for it."""
        if self._made_for != (axis, version) or self._number >= len(self._found):
            done = 0

            def tell(more: int) -> None:
                nonlocal done
                done += more
                news.tell("progress", text="looking at slices", done=min(done, SLICES - 1), of=SLICES)

            self._found = suggest(
                self._image,
                self._mip,
                self._labels,
                model,
                axis=axis,
                number=NUMBER,
                slices=SLICES,
                selection=self._selection,
                fill_missing=True,
                progress=tell,
            )
            self._made_for, self._number = (axis, version), 0
            news.tell("progress", text="looked at slices", done=1, of=1)
        if not self._found:
            return {"text": "There is no slice to suggest: all that were looked at are labelled."}
        one = self._found[self._number]
        self._number += 1
        why = "it is unlike the others" if model is None else f"mean uncertainty {one.uncertainty:.2f}"
        text = f"Slice {one.position} along {one.axis}: {why}. Suggestion {self._number} of {len(self._found)}."
        return {"text": text, "axis": one.axis, "position": one.position, "place": one.place, "mean": one.uncertainty}
