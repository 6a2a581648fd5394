"""`.ckl` files: labels that crackle has compressed, also packed with gzip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput
from teravox.pipeline.last_words import saying
from teravox.pipeline.sources.source import Part, Source, bytes_of
from teravox.pipeline.storage.compression import decompress
from teravox.pipeline.storage.errno_sentences import explain
from teravox.pipeline.storage.tally import TALLY

if TYPE_CHECKING:
    from teravox.pipeline.sources.source import Array


class CrackleSource(Source):
    """Holds the compressed file, and decodes the planes that a part needs."""

    axes = "xyz"
    axes_are_said = True
    order = "F"

    def __init__(self, path: str) -> None:
        import crackle
        import numpy as np

        from teravox.pipeline.layers.codecs.crackle import check_crackle

        self.place = path
        try:
            stored = Path(path).read_bytes()
        except OSError as error:
            raise explain(error, "read", path) from error
        TALLY.read(len(stored))
        try:
            self._data = decompress(stored, "gzip") if path.endswith(".gz") else stored
            header = crackle.header(self._data)
            self.shape = (header.sx, header.sy, header.sz)
            self.dtype = np.dtype(f"{'i' if header.signed else 'u'}{header.data_width}")
            check_crackle(self._data, (*self.shape, 1), self.dtype)
        except Exception as error:  # noqa: BLE001 - the library has exceptions of its own
            raise BadInput(f"{path} is no crackle file that can be read: {error}") from None
        self.block = (header.sx, header.sy, 1)
        self._spare = 2 * len(self._data) + len(stored)

    def read(self, part: Part) -> Array:
        import crackle

        try:
            with saying(f"decoding {self.place}, which is probably damaged"):
                planes: Array = crackle.codec.decompress_range(self._data, part[2].start, part[2].stop, parallel=1)
        except Exception as error:  # noqa: BLE001 - as above
            raise BadInput(f"{self.place} cannot be decoded: {error}") from None
        return planes[part[0], part[1]]

    def spare_bytes(self) -> int:
        return self._spare

    def lane_bytes(self) -> int:
        return 6 * bytes_of(self.block, self.dtype)  # of a plane: its cracks, its components and its labels


def open_crackle(path: str) -> CrackleSource:
    """A .ckl file: x, y, z."""
    return CrackleSource(path)
