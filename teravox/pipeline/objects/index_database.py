"""Writes the spatial index of meshes or skeletons into a database."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.errors import BadUsage, Fatal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CORNERS = [f"{end}_{axis}" for end in ("min", "max") for axis in "xyz"]


class Database(NamedTuple):
    """A connection, and how its statements stand for values."""

    cursor: Any  # of whatever library
    mark: str


@contextlib.contextmanager
def open_database(url: str) -> Iterator[Database]:
    """The database at a URL; what is done with it is there whole when it is closed, or not at all."""
    if url.startswith("sqlite:///"):
        with _open_sqlite(url.removeprefix("sqlite:///")) as database:
            yield database
    elif url.startswith(("postgresql://", "postgres://")):
        with _open_postgres(url) as database:
            yield database
    else:
        raise BadUsage("URL: expected sqlite:///FILE or postgresql://HOST/DATABASE")


@contextlib.contextmanager
def _open_sqlite(path: str) -> Iterator[Database]:
    if not path:
        raise BadUsage("URL: sqlite:/// names no file")
    try:
        with contextlib.closing(sqlite3.connect(Path(path), isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield Database(connection.cursor(), "?")
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise Fatal(f"URL: cannot write the database {path}: {error}") from None


@contextlib.contextmanager
def _open_postgres(url: str) -> Iterator[Database]:
    try:
        import psycopg  # type: ignore[import-not-found, unused-ignore]  # an extra
    except ImportError:
        raise BadUsage("URL: writing to PostgreSQL takes psycopg: pip install 'psycopg[binary]'") from None
    try:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            yield Database(cursor, "%s")
    except psycopg.Error as error:  # which names host and user, and no password
        raise Fatal(f"URL: cannot write the database: {error}") from None


def write_index(database: Database, pieces: Iterable[tuple[str, NDArray[np.uint64], NDArray[np.float64]]]) -> int:
    """Replace both tables by those of the pieces; how many rows of labels there are."""
    import numpy as np

    cursor = database.cursor
    for table in ("file_lookup", "index_files"):
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute("CREATE TABLE index_files (id INTEGER PRIMARY KEY, filename VARCHAR(200) NOT NULL)")
    columns = ", ".join(f"{name} DOUBLE PRECISION NOT NULL" for name in CORNERS)
    cursor.execute(f"CREATE TABLE file_lookup (label BIGINT NOT NULL, fid INTEGER NOT NULL, {columns})")
    file = f"INSERT INTO index_files VALUES ({_marks(database, 2)})"  # noqa: S608 - marks only
    row = f"INSERT INTO file_lookup VALUES ({_marks(database, 2 + len(CORNERS))})"  # noqa: S608 - marks only
    written = 0
    for number, (name, labels, corners) in enumerate(pieces, 1):
        cursor.execute(file, (number, name))
        signed = labels.astype(np.uint64).view(np.int64).tolist()
        cursor.executemany(row, ((label, number, *box) for label, box in zip(signed, corners.tolist(), strict=True)))
        written += len(labels)
    cursor.execute("CREATE INDEX file_lookup_label ON file_lookup (label)")
    cursor.execute("CREATE INDEX file_lookup_fid ON file_lookup (fid)")
    return written


def _marks(database: Database, number: int) -> str:
    return ", ".join([database.mark] * number)
