"""Checks the file that a forge has left of one piece: its head, its rows, and the fragments themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.fragments import BUCKET_BYTES, HEAD, ROW_BYTES, Form, FragmentFile
from teravox.pipeline.objects.heads import crc_of
from teravox.pipeline.objects.sort import MESH, Sort
from teravox.pipeline.verification.finding import Finding, What

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.store import Store

TOGETHER = 4 * 1024 * 1024  # bytes of packed fragments that are fetched at once
SAMPLED = 16  # fragments of a piece that are decoded, where not all are


class FileCheck:
    """One file; `labels` are those that it has, if its rows can be read."""

    def __init__(self, store: Store, key: str, sort: Sort, size: int) -> None:
        import numpy as np

        self.labels: NDArray[np.uint64] = np.empty(0, np.uint64)
        self.findings: list[Finding] = []
        self.is_readable = False
        self.crc = 0  # of the head
        self._store = store
        self._key = key
        self._sort = sort
        self._size = size

    def run(self, *, decode: int | None) -> FileCheck:
        """Check head and rows, and decode so many fragments, or all for None."""
        try:
            file = FragmentFile.open(self._store, self._key, self._sort)
            said = HEAD.size + (BUCKET_BYTES << file.bits) + ROW_BYTES * file.labels + file.size
            if said != self._size:
                what: What = "truncated" if self._size < said else "wrong"
                self._say(what, f"it has {self._size:,} bytes, and its head tells of {said:,}")
            self.crc = crc_of(file)
            rows = file.rows()
            self.labels = rows["label"]
            self.is_readable = True
            if not self.findings:
                for why in _check_fragments(file, rows, decode):
                    self._say("wrong", why)
        except BadInput as error:
            self._say("undecodable", str(error))
        return self

    def _say(self, what: What, why: str) -> None:
        self.findings.append(Finding(what, self._key, why))


def _check_fragments(file: FragmentFile, rows: NDArray[np.void], most: int | None) -> Iterator[str]:
    """Whether fragments are what their rows say; zstd has a checksum of each, which BadInput tells of."""
    if int(rows["size"].sum(dtype="u8")) != file.size:
        yield "its rows and its head do not agree on the bytes of its fragments"
        return
    for group in _groups(rows if most is None else rows[:most]):
        for row, (label, one) in zip(group, file.read(group, _form(file.sort)), strict=True):
            vertices, links = one[:2]
            if (
                vertices.min(axis=0).tolist() != row["low"].tolist()
                or vertices.max(axis=0).tolist() != row["high"].tolist()
            ):
                yield f"label {label}: its vertices do not lie in the box that its row tells of"
            if links.size and int(links.max()) >= len(vertices):
                yield f"label {label}: it names vertex {int(links.max()):,} of {len(vertices):,}"


def _groups(rows: NDArray[np.void]) -> Iterator[NDArray[np.void]]:
    """Rows whose fragments are fetched together."""
    import numpy as np

    if len(rows):
        groups = (np.cumsum(rows["size"], dtype=np.int64) // TOGETHER).astype(np.int64)
        yield from np.split(rows, np.flatnonzero(np.diff(groups)) + 1)


def _form(sort: Sort) -> Form[Any]:  # Any: surfaces or skeletons
    if sort == MESH:
        from teravox.pipeline.meshes.fragments import SURFACES

        return SURFACES
    from teravox.pipeline.skeletons.fragments import SKELETONS

    return SKELETONS
