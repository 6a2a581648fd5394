"""The labels of a part, and what forge left of them in all of its pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.objects.forged import Forged
from teravox.pipeline.objects.fragments import Form, FragmentFile
from teravox.pipeline.objects.order import in_order
from teravox.pipeline.objects.part import Part
from teravox.pipeline.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer

    Rows = NDArray[np.void]

T = TypeVar("T", bound=tuple[Any, ...])  # a mesh or a skeleton


class PieceRows(NamedTuple):
    """The rows that one piece has of a part."""

    file: FragmentFile
    rows: Rows
    label: NDArray[np.intp]  # the index, among the labels of the part, that each row is about


class Labels(Generic[T]):
    """The labels of a part, in order, and what all pieces have of each."""

    def __init__(self, found: list[tuple[FragmentFile, Rows]], form: Form[T]) -> None:
        import numpy as np

        names = np.concatenate([rows["label"] for _, rows in found]) if found else np.empty(0, np.uint64)
        unique, index = np.unique(names, return_inverse=True)
        order = in_order(unique)
        place = np.empty(len(order), np.intp)
        place[order] = np.arange(len(order))
        index = place[index]
        self.labels: NDArray[np.uint64] = unique[order]
        ends = np.cumsum([len(rows) for _, rows in found])
        self.pieces = [
            PieceRows(file, rows, some)
            for (file, rows), some in zip(found, np.split(index, ends[:-1]) if found else [], strict=True)
        ]
        self._form = form
        count = len(unique)
        self.fragments = np.bincount(index, minlength=count)
        self.links = self._sum(form.sort.links)
        self.vertices = self._sum("vertices")
        self.bytes = self._sum("size")
        self.low = np.full((count, 3), np.iinfo(np.int32).max, np.int32)
        self.high = np.full((count, 3), np.iinfo(np.int32).min, np.int32)
        for _, rows, some in self.pieces:
            np.minimum.at(self.low, some, rows["low"])
            np.maximum.at(self.high, some, rows["high"])

    def __len__(self) -> int:
        return len(self.labels)

    def box(self, at: int) -> tuple[Vec, Vec]:
        """The least and the greatest coordinates of a label's vertices."""
        x, y, z = self.low[at].tolist()
        a, b, c = self.high[at].tolist()
        return (x, y, z), (a, b, c)

    def read(self, first: int, last: int, lanes: int) -> dict[int, list[T]]:
        """All that pieces have of the labels from index `first` up to `last`, by index; one request a piece."""
        import numpy as np

        def work(piece: PieceRows) -> list[tuple[int, T]]:
            low, high = np.searchsorted(piece.label, [first, last])
            objects = piece.file.read(piece.rows[low:high], self._form) if high > low else ()
            return list(zip(piece.label[low:high].tolist(), (one for _, one in objects), strict=True))

        found: dict[int, list[T]] = {at: [] for at in range(first, last)}
        for some in side_by_side(work, self.pieces, lanes):
            for at, one in some:
                found[at].append(one)
        return found

    def read_one(self, at: int) -> Iterator[T]:
        """All that pieces have of a label, one after another."""
        import numpy as np

        for piece in self.pieces:
            low, high = np.searchsorted(piece.label, [at, at + 1])
            for _, one in piece.file.read(piece.rows[low:high], self._form):
                yield one

    def largest_fragment(self, at: int, what: str) -> int:
        """The most vertices or links that a fragment of a label has."""
        import numpy as np

        most = 0
        for piece in self.pieces:
            low, high = np.searchsorted(piece.label, [at, at + 1])
            most = max(most, *piece.rows[what][low:high].tolist(), 0)
        return most

    def _sum(self, name: str) -> NDArray[np.int64]:
        import numpy as np

        total = np.zeros(len(self.labels), np.int64)
        for _, rows, some in self.pieces:
            np.add.at(total, some, rows[name].astype(np.int64))
        return total


def find_labels(layer: Layer, forged: Forged, part: Part, form: Form[T]) -> Labels[T]:
    """The labels of a part: two or three small requests for each piece of the forge."""

    def look(piece: Box) -> tuple[FragmentFile, Rows]:
        file = forged.open(layer, piece)
        return file, file.rows(part.number, part.number, part.bits)

    found = list(side_by_side(look, forged.grid, layer.lanes))
    return Labels([(file, rows) for file, rows in found if len(rows)], form)
