"""The store on a file system, local or shared."""

# System calls by their names, since each is a step of the promise:
# ruff: noqa: PTH108, PTH112, PTH113, PTH120, PTH122, PTH123
from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from io import FileIO

from teravox.pipeline.storage.atomic_write import is_temporary, make_folder, write_parts
from teravox.pipeline.storage.compression import ENDING, ENDINGS
from teravox.pipeline.storage.durability import is_durable
from teravox.pipeline.storage.errno_sentences import explain
from teravox.pipeline.storage.side_by_side import LOCAL_LANES
from teravox.pipeline.storage.tally import TALLY
from teravox.pipeline.storage.urls import confine, confine_prefix
from teravox.pipeline.storage.whole_objects import Stored, WholeObjects, refuse_length, refuse_range
from teravox.pipeline.store import Compression


class FileStore(WholeObjects):
    """Files below a folder, named as cloud-files names them: `key`, `key.gz`, `key.br` or `key.zstd`.

    Two writers of one key that disagree on its compression must not run at once: each removes the other's file.
    """

    can_append = True

    def __init__(self, folder: str, *, durable: bool = False) -> None:
        super().__init__(f"file://{folder}", LOCAL_LANES)
        self._base = f"{folder.rstrip('/')}/"
        self._wants_durable = durable

    @property
    def _durable(self) -> bool:
        return self._wants_durable or is_durable()

    def append(self, key: str, data: bytes) -> None:
        path = self._base + confine(key, self.url)
        try:
            self._append(path, data)
        except OSError as error:
            raise explain(error, "append to", path) from error
        TALLY.wrote(len(data))

    def list(self, prefix: str = "") -> Iterator[str]:
        folder, name = os.path.split(confine_prefix(prefix, self.url))
        return self._walk(f"{folder}/" if folder else "", name)

    def list_sizes(self, prefix: str = "") -> Iterator[tuple[str, int, Compression | None]]:
        folder, name = os.path.split(confine_prefix(prefix, self.url))
        return self._walk_sizes(f"{folder}/" if folder else "", name)

    def _fetch(self, key: str, most: int | None) -> Stored | None:
        path = self._base + key
        for _ in range(2):  # a writer may change the compression between two looks
            for ending, how in ENDINGS.items():
                try:
                    with open(path + ending, "rb", buffering=0) as file:
                        length = os.fstat(file.fileno()).st_size
                        if most is not None and length > most:
                            raise refuse_length(self.url, key, length, most)
                        return file.read(), how
                except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                    continue
                except OSError as error:
                    raise explain(error, "read", path + ending) from error
        return None

    def _fetch_range(self, key: str, start: int, stop: int) -> bytes | None:
        path = self._base + key
        try:
            with open(path, "rb", buffering=0) as file:
                length = os.fstat(file.fileno()).st_size  # so that no memory is taken for what is not there
                file.seek(start)
                return _read(file, min(stop, length) - start)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            if self._has(key):
                raise refuse_range(self.url, key) from None
            return None
        except OSError as error:
            raise explain(error, "read", path) from error

    def _store(self, key: str, stored: bytes | bytearray, how: Compression | None, content_type: str) -> None:  # noqa: ARG002 - files have no content type
        self._write(key, (stored,), ENDING[how])

    def _store_parts(self, key: str, parts: Iterable[bytes], how: Compression | None, content_type: str) -> None:  # noqa: ARG002 - as above
        self._write(key, parts, ENDING[how])

    def _write(self, key: str, parts: Iterable[bytes | bytearray], written: str) -> None:
        path = self._base + key
        try:
            write_parts(path + written, parts, durable=self._durable)
            self._unlink(path, tuple(ending for ending in ENDINGS if ending != written))
        except OSError as error:
            raise explain(error, "write", path + written) from error

    def _has(self, key: str) -> bool:
        return any(os.path.isfile(self._base + key + ending) for ending in ENDINGS)

    def _remove(self, key: str) -> None:
        path = self._base + key
        try:
            self._unlink(path, tuple(ENDINGS))
        except OSError as error:
            raise explain(error, "remove", path) from error

    def _unlink(self, path: str, endings: tuple[str, ...]) -> None:
        for ending in endings:
            try:
                os.unlink(path + ending)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
            except PermissionError:
                if not os.path.isdir(path + ending):  # macOS says so of folders
                    raise

    def _append(self, path: str, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o666)
        except FileNotFoundError:
            make_folder(os.path.dirname(path), durable=self._durable)
            descriptor = os.open(path, flags, 0o666)
        try:
            before = os.fstat(descriptor).st_size
            if os.write(descriptor, data) < len(data):
                os.ftruncate(descriptor, before)  # no half records
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self._durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _walk(self, folder: str, beginning: str) -> Iterator[str]:
        """The keys in a folder and below, of those entries whose names begin so."""
        seen: set[str] = set()
        folders: list[str] = []
        for entry in self._scan(folder, beginning):
            if entry.is_dir():
                folders.append(f"{folder}{entry.name}/")
            else:
                seen.add(_split(entry.name)[0])
        yield from (folder + name for name in seen)
        for below in folders:
            yield from self._walk(below, "")

    def _walk_sizes(self, folder: str, beginning: str) -> Iterator[tuple[str, int, Compression | None]]:
        """The same with sizes; nothing is kept but the names of folders."""
        folders: list[str] = []
        for entry in self._scan(folder, beginning):
            if entry.is_dir():
                folders.append(f"{folder}{entry.name}/")
                continue
            try:
                size = entry.stat().st_size
            except FileNotFoundError:  # it was removed since
                continue
            except OSError as error:
                raise explain(error, "look at", entry.path) from error
            name, how = _split(entry.name)
            yield folder + name, size, how
        for below in folders:
            yield from self._walk_sizes(below, "")

    def _scan(self, folder: str, beginning: str) -> Iterator[os.DirEntry[str]]:
        """The entries of a folder whose names begin so, without what is being written."""
        try:
            with os.scandir(self._base + folder) as entries:
                for entry in entries:
                    if entry.name.startswith(beginning) and not is_temporary(entry.name):
                        yield entry
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise explain(error, "list", self._base + folder) from error


def _split(name: str) -> tuple[str, Compression | None]:
    """A file's name without the ending of a compression, and which one that is."""
    stem, ending = os.path.splitext(name)
    how = ENDINGS.get(ending)
    return (name, None) if how is None else (stem, how)


def _read(file: FileIO, length: int) -> bytes:
    """That many bytes, or those before the end; one call of the system may give fewer."""
    parts = []
    while length > 0 and (part := file.read(length)):
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
