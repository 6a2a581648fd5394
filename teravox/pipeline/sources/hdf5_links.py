"""Finds data sets in HDF5 files link by link: the library itself would open whatever file a link names."""

from __future__ import annotations

import functools
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from teravox.pipeline.errors import BadInput
from teravox.pipeline.sources.beside import file_beside
from teravox.pipeline.storage.errno_sentences import explain

Hdf5 = Any  # h5py has no types
MOST_LINKS = 64  # on the way to one data set


def open_file(path: str) -> Hdf5:
    """An HDF5 file, to be read; BadInput names what is none."""
    import h5py  # type: ignore[import-untyped]  # it has no types

    try:
        return h5py.File(path, "r", locking="best-effort")  # the folder may be on a file system without locks
    except OSError as error:
        if error.errno is not None:
            raise explain(error, "read", path) from error
        raise BadInput(f"{path} is no HDF5 file that can be read: {error}") from None


def find_data(path: str, file: Hdf5, name: str, files: ExitStack) -> Hdf5 | None:
    """The data set of a name, in the file or where its links lead; None if there is none.

    Other files that are opened on the way are put into `files`.
    """
    import h5py
    from h5py import h5l

    way, at, links = _parts(name), file, 0
    while way:
        part = way.pop(0)
        if not isinstance(at, h5py.Group):
            return None
        try:
            kind = at.id.links.get_info(part.encode()).type
        except (KeyError, RuntimeError):
            return None
        if kind == h5l.TYPE_HARD:
            at = at[part]
            continue
        links += 1
        if links > MOST_LINKS:
            raise BadInput(f"{path}: the links on the way to {name} lead in a circle")
        if kind == h5l.TYPE_SOFT:
            target = at.id.links.get_val(part.encode()).decode()
            at = file if target.startswith("/") else at
        elif kind == h5l.TYPE_EXTERNAL:
            other, inner = at.id.links.get_val(part.encode())
            path = file_beside(path, other.decode(), f"{part} is")
            at = file = files.enter_context(open_file(path))
            target = inner.decode()
        else:
            raise BadInput(f"{path}: {part} is a link of a kind that is not followed")
        way = _parts(target) + way
    return at if isinstance(at, h5py.Dataset) else None


def check_parts(path: str, data: Hdf5) -> None:
    """Raise BadInput if parts of a data set lie where they must not be read, or are missing: they would be read as 0."""
    if data.is_virtual or data.external:
        for name in {source.file_name for source in data.virtual_sources()} - {"."} if data.is_virtual else ():
            file_beside(path, name, f"parts of {data.name} are")
        stat = Path(path).stat()
        _check(path, data.name, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=256)
def _check(path: str, name: str, changed: int, size: int) -> None:  # noqa: ARG001 - a changed file is checked again
    """Look into all the files, which takes too long to do it for every piece."""
    with ExitStack() as files:
        data = find_data(path, files.enter_context(open_file(path)), name, files)
        _check_all(path, data, {(path, name)})


def _check_all(path: str, data: Hdf5, seen: set[tuple[str, str]]) -> None:
    if data.external:
        raise BadInput(
            f"{path} keeps the voxels of {data.name} in files of another format, which are not read here; "
            "put them together with: h5repack -l CONTI"
        )
    if not data.is_virtual:
        return
    for source in data.virtual_sources():
        inner, what = source.file_name, f"parts of {data.name} are"
        place = path if inner == "." else file_beside(path, inner, what)
        if (place, source.dset_name) in seen:
            continue
        seen.add((place, source.dset_name))
        with ExitStack() as others:
            part = find_data(place, others.enter_context(open_file(place)), source.dset_name, others)
            if part is None:
                raise BadInput(
                    f"{path} says that {what} at {source.dset_name} in {place}, and there is no such data set"
                )
            _check_all(part.file.filename, part, seen)


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".")]
