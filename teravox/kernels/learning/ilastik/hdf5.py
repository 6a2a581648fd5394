"""Reads small things out of an HDF5 file that somebody else has made, by links within the file only."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

Hdf5 = Any  # h5py has no types
Array = NDArray[Any]  # of numbers

MOST = 1 << 26  # numbers that one array of a project may have


@contextmanager
def open_hdf5(data: bytes, name: str) -> Iterator[Hdf5]:
    """The file; what goes wrong while it is open is a ValueError that begins with its name."""
    import h5py  # type: ignore[import-untyped]  # it has no types

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, TypeError, OverflowError) as error:  # what the library says of damage
        raise ValueError(f"{name} is no HDF5 file, or is damaged: {error}") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def find(group: Hdf5, path: str) -> Hdf5 | None:
    """What lies at a path within a group, itself at the empty one, or None. A link that leads elsewhere is not followed."""
    import h5py
    from h5py import h5l

    at = group
    for part in path.split("/") if path else ():
        if not isinstance(at, h5py.Group):
            return None
        try:
            kind = at.id.links.get_info(part.encode()).type
        except (KeyError, RuntimeError):
            return None
        if kind != h5l.TYPE_HARD:
            raise ValueError(f"{part} is a link to another place, which a project has no use for")
        at = at[part]
    return at


def children(group: Hdf5, path: str, beginning: str = "") -> list[tuple[str, Hdf5]]:
    """What lies in a group, by name; nothing where there is no such group."""
    import h5py

    inner = find(group, path)
    if not isinstance(inner, h5py.Group):
        return []
    names = sorted(name for name in inner if isinstance(name, str) and name.startswith(beginning))
    found = [(name, find(inner, name)) for name in names]
    return [(name, child) for name, child in found if child is not None]


def numbers(group: Hdf5, path: str, axes: int | None = None, kinds: str = "biuf") -> Array:
    """An array of so many axes, or of any number of them, whose type is of one of the kinds of NumPy."""
    data: Hdf5 = find(group, path)
    where = f"{group.name or ''}/{path}".lstrip("/")
    if not _is_plain(data) or data.ndim != (data.ndim if axes is None else axes) or data.dtype.kind not in kinds:
        raise ValueError(f"there are no numbers at {where}, or not of the axes that they should have")
    if data.size > MOST:
        raise ValueError(f"there are {data.size:,} numbers at {where}, more than a project can have")
    return np.asarray(data[()])


def texts(group: Hdf5, path: str) -> tuple[str, ...] | None:
    """The text or texts at a path; None where there are none."""
    data: Hdf5 = find(group, path)
    if not _is_plain(data) or data.dtype.kind not in "OSU" or data.ndim > 1 or data.size > MOST:
        return None
    found = data[()]
    found = found.tolist() if isinstance(found, np.ndarray) else found
    every = found if isinstance(found, list) else [found]
    if not all(isinstance(one, bytes | str) for one in every):
        return None
    return tuple(one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in every)


def text(group: Hdf5, path: str) -> str | None:
    """The only text at a path."""
    found = texts(group, path)
    return found[0] if found is not None and len(found) == 1 else None


def _is_plain(data: Hdf5) -> bool:
    """Whether it is a data set that lies in this file alone."""
    import h5py

    return isinstance(data, h5py.Dataset) and data.shape is not None and not data.is_virtual and not data.external
