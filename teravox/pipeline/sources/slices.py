"""A folder, or a pattern of names, whose files are the slices of one volume."""

from __future__ import annotations

import glob
import logging
import os
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.sources.slice_file import (
    FORMATS,
    Differs,
    Header,
    check_same,
    cost_of,
    format_of,
    read_header,
    read_part,
)
from teravox.pipeline.sources.slice_names import Order, put_in_order
from teravox.pipeline.sources.source import Choice, MissingSlices, Part, Source, size_of
from teravox.pipeline.sources.tiff_page import Broken
from teravox.pipeline.storage.errno_sentences import explain
from teravox.pipeline.storage.side_by_side import LANES, side_by_side

if TYPE_CHECKING:
    from teravox.pipeline.sources.source import Array

LOG = logging.getLogger(__name__)

CHECKED = 10_000  # files whose headers are read before anything is queued; of more, so many, spread evenly
A_NAME = 600  # bytes of knowing about a file, while names are put in order
NAMED = 3  # files that an error names
MOST_MISSING = 10  # for each file that is there: more is no gap but a name that is something else


class SliceSource(Source):
    """Rows and columns of each file; the files are the slowest axis."""

    axes_are_said = True

    def __init__(self, place: str, order: Order, missing: MissingSlices) -> None:
        import numpy as np

        self.place = place
        self._missing = missing
        self._order = order
        self._slots = order.with_gaps() if missing != "fail" else list(order.paths)
        self._header = self._first_header()
        self.shape = (len(self._slots), *self._header.shape)
        self.axes = "z" + self._header.axes
        self.dtype = np.dtype(self._header.dtype)
        cost = cost_of(self._like, self._header)
        self.block = (1, *cost.block)
        self._lane_bytes = cost.lane_bytes

    def read(self, part: Part) -> Array:
        import numpy as np

        found = np.empty(size_of(part), self.dtype)
        for at, z in enumerate(range(part[0].start, part[0].stop)):
            found[at] = self._slice(z, part[1:])
        return found

    def spare_bytes(self) -> int:
        return A_NAME * len(self._slots)

    def lane_bytes(self) -> int:
        return self._lane_bytes

    def check(self) -> None:
        """Names that tell of gaps, and the headers of all files, or of some where there are very many."""
        missing = self._order.missing
        if missing and self._missing == "fail":
            raise BadInput(
                f"{self.place}: {missing:,} of {missing + len(self._order.paths):,} slices are missing: "
                f"{self._order.say_missing()}. Bring them, or pass --missing-slices blank or repeat"
            )
        if missing:
            LOG.warning("%s: slices %s are missing: %s", self.place, self._order.say_missing(), self._remedy)
        if self._order.numbers is None and len(self._order.paths) > 1:
            LOG.warning("%s: the names have no numbers in common, so a missing slice would not be seen", self.place)
        paths = self._order.paths
        count = min(len(paths), CHECKED)
        if count < len(paths):
            LOG.info(
                "%s: looked at %d of %d files; the others are checked as they are read", self.place, count, len(paths)
            )
            paths = tuple(paths[at * (len(paths) - 1) // (count - 1)] for at in range(count))
        wrong = [fault for fault in side_by_side(self._fault, paths, LANES) if fault is not None]
        differ = sorted(text for is_broken, text in wrong if not is_broken)
        broken = sorted(text for is_broken, text in wrong if is_broken)
        self._refuse(differ, "")
        if self._missing == "fail":
            self._refuse(broken, "; pass --missing-slices blank or repeat to go on without them")
        elif broken:
            LOG.warning("%s: %s: %s", self.place, _say_some(broken), self._remedy)

    @property
    def _remedy(self) -> str:
        return "they become background" if self._missing == "blank" else "the ones before them are repeated"

    def _first_header(self) -> Header:
        """What the first file that can be read says."""
        for path in self._order.paths:
            try:
                self._like = path
                return read_header(path)
            except Differs as error:
                raise BadInput(f"{path} {error}") from None
            except Broken as error:
                if self._missing == "fail":
                    raise self._unreadable(path, error) from None
        raise BadInput(f"{self.place}: none of its {len(self._order.paths):,} files can be read")

    def _slice(self, z: int, part: Part) -> Array | int:
        """A part of one slice, or of what stands for it."""
        path = self._slots[z]
        try:
            if path is not None:
                return self._read(path, part)
        except Broken as error:
            if self._missing == "fail":
                raise self._unreadable(path, error) from None
            LOG.warning("slice %s cannot be read: %s; %s", path, error, self._remedy)
        return 0 if self._missing == "blank" else self._nearest(z, part)

    def _nearest(self, z: int, part: Part) -> Array:
        """The nearest slice before, else after, that can be read."""
        for other in (*range(z - 1, -1, -1), *range(z + 1, len(self._slots))):
            path = self._slots[other]
            try:
                if path is not None:
                    return self._read(path, part)
            except Broken:
                continue  # it is said where its own turn comes
        raise BadInput(f"{self.place}: none of its slices can be read")

    def _read(self, path: str, part: Part) -> Array:
        try:
            return read_part(path, self._header, part)
        except Differs as error:
            raise BadInput(f"slice {path} {error}") from None

    def _fault(self, path: str) -> tuple[bool, str] | None:
        """What is wrong with a file, and whether it cannot be read at all."""
        try:
            check_same(read_header(path), self._header)
        except Differs as error:
            return False, f"{path} {error}"
        except Broken as error:
            return True, f"{path} cannot be read: {error}"
        return None

    def _refuse(self, wrong: list[str], remedy: str) -> None:
        if wrong:
            raise BadInput(f"{_say_some(wrong)}{remedy}")

    @staticmethod
    def _unreadable(path: str | None, error: Broken) -> BadInput:
        return BadInput(
            f"slice {path} cannot be read: {error}; bring it again, or pass --missing-slices blank or repeat"
        )


def open_slices(place: str, choice: Choice) -> SliceSource:
    """The slices in a folder, or those that a pattern such as /data/em_*.png names."""
    if os.path.isdir(place):  # noqa: PTH112 - a plain path, as below
        paths = _names_in(place, os.stat(place).st_mtime_ns)  # noqa: PTH116
    else:
        paths = tuple(path for path in glob.glob(place, recursive=True) if os.path.isfile(path))  # noqa: PTH113, PTH207
    pictures = [path for path in paths if format_of(path) is not None]
    if not pictures:
        endings = ", ".join(FORMATS)
        raise BadInput(f"{place} has no slices: no file there ends in {endings}")
    formats = Counter(format_of(path) for path in pictures)
    if len(formats) > 1:
        said = ", ".join(f"{count:,} {name}" for name, count in formats.most_common())
        raise BadUsage(f"{place} has pictures of several formats ({said}): name those you mean, as in '{place}/*.tif'")
    order = _ordered(place, tuple(pictures))
    if order.missing > MOST_MISSING * len(order.paths) + 1000 and choice.missing_slices != "fail":
        raise BadInput(
            f"{place}: by their numbers, {order.missing:,} slices are missing beside {len(order.paths):,} files; "
            "leave out the file whose number is none of a slice"
        )
    return SliceSource(place, order, choice.missing_slices)


@lru_cache(maxsize=4)
def _names_in(folder: str, changed: int) -> tuple[str, ...]:  # noqa: ARG001 - the time of its last change is a part of the key
    """The files of a folder; those that begin with a dot are not meant."""
    try:
        with os.scandir(folder) as entries:
            return tuple(entry.path for entry in entries if not entry.name.startswith(".") and entry.is_file())
    except OSError as error:
        raise explain(error, "list", folder) from error


@lru_cache(maxsize=4)
def _ordered(place: str, paths: tuple[str, ...]) -> Order:
    return put_in_order(paths, place)


def _say_some(sentences: list[str]) -> str:
    more = f"; and {len(sentences) - NAMED:,} more like that" if len(sentences) > NAMED else ""
    return "; ".join(sentences[:NAMED]) + more
