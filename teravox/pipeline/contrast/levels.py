"""Levels: how often each value occurs in each slice of a mip, in small files `levels/{mip}/{z0}-{z1}.json`.

Also read are files `levels/{mip}/{z}`, which Igneous writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.uint64]  # by channel and value

FORM = "teravox levels 1"
_NAME = re.compile(r"(-?[0-9]+)-(-?[0-9]+)\.json")
_NAME_OF_ONE = re.compile(r"-?[0-9]+")

Count = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]


class Sampling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which voxels were counted."""

    bounds: Box
    coverage: float
    seed: int
    ignore_background: bool


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The counts of `first` and the values after it, up to the last one that occurs."""

    first: Count
    counts: tuple[Count, ...]


class Slice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    z: int
    channels: tuple[Channel, ...]


class LevelsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in one file; a slice is decoded when it is asked for."""

    form: str
    data_type: str
    sampling: Sampling
    slices: tuple[msgspec.Raw, ...]


class _OfIgneous(msgspec.Struct, frozen=True):
    levels: tuple[Count, ...]


def levels_key(mip: int, z0: int, z1: int) -> str:
    """The key of the levels of the slices from z0 up to z1."""
    return f"levels/{mip}/{z0}-{z1}.json"


def encode_levels(sampling: Sampling, data_type: str, z0: int, counts: NDArray[np.uint64]) -> bytes:
    """The file of the slices from z0 on; counts are by slice, channel and value."""
    slices = [_encode_slice(z, channels) for z, channels in enumerate(counts, z0)]
    return msgspec.json.encode(LevelsFile(form=FORM, data_type=data_type, sampling=sampling, slices=tuple(slices)))


class Levels:
    """The levels of a mip that lie at a place. BadInput says which are missing, and how to make them."""

    def __init__(self, store: Store, mip: int, layer: str) -> None:
        self._store = store
        self._mip = mip
        self._layer = layer
        self._keys: dict[int, str] = {}  # by slice
        for key in sorted(store.list(f"levels/{mip}/"), key=len):
            name = key.rsplit("/", 1)[1]
            if many := _NAME.fullmatch(name):
                self._add(key, range(int(many[1]), int(many[2])))
            elif _NAME_OF_ONE.fullmatch(name):
                self._keys.setdefault(int(name), key)

    def check(self, slices: Iterable[int]) -> None:
        """Raise BadInput if levels of these slices are missing."""
        missing = [z for z in slices if z not in self._keys]
        if missing:
            raise BadInput(
                f"levels of {_say_ranges(missing)} of mip {self._mip} are missing in {self._store.url}/levels. "
                f"Make them with: {self._remedy}"
            )

    def read(self, slices: Iterable[int], data_type: str, channels: int) -> Iterator[tuple[int, Counts]]:
        """The counts of slices, one after another."""
        wanted = set(slices)
        for key in self.keys(wanted):
            data = self._store.get(key)
            if data is None:
                raise BadInput(f"{self._store.url}/{key} was removed while it was about to be read")
            try:
                yield from self._of_file(key, data, wanted, data_type, channels)
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
                raise BadInput(
                    f"{self._store.url}/{key} cannot be read: {error}. Remove it, and make it again with: {self._remedy}"
                ) from None

    def keys(self, slices: Iterable[int]) -> list[str]:
        """The files that hold the levels of slices."""
        wanted = sorted(slices)
        self.check(wanted)
        return list(dict.fromkeys(self._keys[z] for z in wanted))

    def has(self, z: int) -> bool:
        """Whether there are levels of a slice."""
        return z in self._keys

    @property
    def _remedy(self) -> str:
        place = "" if self._store.url == self._layer else f" --levels {self._store.url}"
        return f"teravox image contrast histogram {self._layer} --mip {self._mip}{place}"

    def _add(self, key: str, slices: range) -> None:
        for z in slices:
            other = self._keys.get(z)
            if other is not None and _NAME.fullmatch(other.rsplit("/", 1)[1]):
                raise BadInput(
                    f"{self._store.url} has two files with levels of slice {z}: {other} and {key}. "
                    "Remove the one that is out of date"
                )
            self._keys[z] = key

    def _of_file(
        self, key: str, data: bytes, wanted: set[int], data_type: str, channels: int
    ) -> Iterator[tuple[int, Counts]]:
        import numpy as np

        values = np.iinfo(data_type).max + 1
        mine = {z for z in wanted if self._keys[z] == key}
        if _NAME_OF_ONE.fullmatch(key.rsplit("/", 1)[1]):
            of_one = msgspec.json.decode(data, type=_OfIgneous)
            if len(of_one.levels) != values:
                raise ValueError(f"it counts {len(of_one.levels):,} values, and {data_type} has {values:,}")
            yield mine.pop(), np.tile(np.array(of_one.levels, np.uint64), (channels, 1))
            return
        file = msgspec.json.decode(data, type=LevelsFile)
        if (file.form, file.data_type) != (FORM, data_type):
            raise ValueError(f"it is of the form {file.form!r} for {file.data_type}, and not {FORM!r} for {data_type}")
        for raw in file.slices:
            one = msgspec.json.decode(raw, type=Slice)
            if one.z in mine:
                mine.remove(one.z)
                yield one.z, _decode_slice(one, channels, values)
        if mine:
            raise ValueError(f"it lacks {_say_ranges(sorted(mine))}")


def _encode_slice(z: int, counts: NDArray[np.uint64]) -> msgspec.Raw:
    import numpy as np

    channels = []
    for row in counts:
        (there,) = np.nonzero(row)
        first, last = (int(there[0]), int(there[-1])) if len(there) else (0, -1)
        channels.append(Channel(first, tuple(row[first : last + 1].tolist())))
    return msgspec.Raw(msgspec.json.encode(Slice(int(z), tuple(channels))))


def _decode_slice(one: Slice, channels: int, values: int) -> NDArray[np.uint64]:
    import numpy as np

    if len(one.channels) != channels:
        raise ValueError(f"it is of {len(one.channels)} channels, and the layer has {channels}")
    counts = np.zeros((channels, values), np.uint64)
    for row, channel in zip(counts, one.channels, strict=True):
        if channel.first + len(channel.counts) > values:
            raise ValueError(f"it counts values above {values - 1:,}")
        row[channel.first : channel.first + len(channel.counts)] = channel.counts
    return counts


def _say_ranges(slices: list[int]) -> str:
    """`slices 3 to 7, 9`: the first few runs."""
    runs: list[list[int]] = []
    for z in slices:
        if runs and z == runs[-1][1] + 1:
            runs[-1][1] = z
        else:
            runs.append([z, z])
    said = [str(a) if a == b else f"{a} to {b}" for a, b in runs[:3]]
    word = "slice" if len(slices) == 1 else "slices"
    return f"{word} {', '.join(said)}{' and more' if len(runs) > 3 else ''}"
