"""Writes a table of labels to one file, as CSV or Parquet, some rows at a time."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

from teravox.pipeline.errors import BadUsage, Fatal
from teravox.pipeline.label_tables.parquet import ParquetWriter
from teravox.pipeline.storage.urls import normalize

if TYPE_CHECKING:
    from teravox.pipeline.label_tables.parquet import Columns

ENDINGS = (".csv", ".parquet")


def check_output(url: str, option: str = "--output") -> None:
    """Raise BadUsage if a table cannot be written there."""
    if not url.endswith(ENDINGS):
        raise BadUsage(f"{option}: expected a file that ends in {' or '.join(ENDINGS)}, got {url}")
    require_file(option, url)


def require_file(option: str, url: str) -> None:
    """Raise BadUsage of a place that is no file of a file system."""
    if not normalize(url).startswith("file://"):
        raise BadUsage(f"{option}: {url} is not on a file system; the table in the layer itself is Parquet files, too")


def write_table(types: Mapping[str, str], groups: Iterable[Columns], url: str, option: str = "--output") -> None:
    """Write the file whole or not at all: columns of these types, some rows after the other."""
    path = Path(normalize(url).removeprefix("file://"))
    with replaced_file(path, option) as file:
        if path.suffix == ".csv":
            _write_csv(types, groups, file)
        else:
            _write_parquet(types, groups, file)


@contextlib.contextmanager
def replaced_file(path: Path, option: str) -> Iterator[IO[bytes]]:
    """A new file that takes the place of a path when all went well; Fatal, with the option that named it, where it cannot."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _replace(path) as file:
            yield file
    except OSError as error:
        raise Fatal(f"{option}: cannot write {path}: {error.strerror}") from None


def _write_csv(types: Mapping[str, str], groups: Iterable[Columns], file: IO[bytes]) -> None:
    names = list(types)
    file.write((",".join(names) + "\n").encode())
    for columns in groups:
        rows = zip(*(map(repr, columns[name].tolist()) for name in names), strict=True)
        file.write("".join(",".join(row) + "\n" for row in rows).encode())


def _write_parquet(types: Mapping[str, str], groups: Iterable[Columns], file: IO[bytes]) -> None:
    writer = ParquetWriter(file.write, types)
    for columns in groups:
        writer.add(columns)
    writer.close()


@contextlib.contextmanager
def _replace(path: Path) -> Iterator[IO[bytes]]:
    """A hidden file beside a path, which takes its place when all went well."""
    hidden = path.with_name(f".{path.name[:200]}.{secrets.token_hex(8)}.tmp")
    try:
        with hidden.open("xb") as file:
            yield file
        os.replace(hidden, path)  # noqa: PTH105 - as what it is, a rename
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is the one to tell
            hidden.unlink()
        raise
