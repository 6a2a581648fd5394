"""Reads which label becomes which other one, from the file that somebody names: CSV, Parquet or .npy with two columns."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.known_file import KnownFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pairs = NDArray[np.uint64]  # rows of a label and what it becomes


def read_remap(file: KnownFile) -> Pairs:
    """The pairs, sorted by their first label, each once; BadUsage says what in the file cannot be meant."""
    import numpy as np

    readers = {".csv": _read_csv, ".parquet": _read_parquet, ".npy": _read_npy}
    ending = next((ending for ending in readers if file.path.endswith(ending)), None)
    if ending is None:
        raise BadUsage(f"--remap: expected a file that ends in {', '.join(readers)}, got {file.path}")
    pairs = np.unique(readers[ending](file), axis=0)
    twice = np.flatnonzero(pairs[1:, 0] == pairs[:-1, 0])
    if len(twice):
        label, one, other = pairs[twice[0], 0], pairs[twice[0], 1], pairs[twice[0] + 1, 1]
        raise BadUsage(f"--remap: {file.path} says twice what label {label} becomes: {one} and {other}")
    return pairs


def _read_csv(file: KnownFile) -> Pairs:
    import numpy as np

    data = file.read()
    lines = data.splitlines()
    title = bool(lines) and not lines[0].strip().removeprefix(b"\xef\xbb\xbf")[:1].isdigit()
    if not any(line.strip() for line in lines[title:]):
        return np.empty((0, 2), np.uint64)
    try:
        pairs = np.loadtxt(
            io.BytesIO(data),
            np.uint64,
            delimiter=",",
            skiprows=int(title),
            ndmin=2,
            encoding="utf-8-sig",
            comments=None,
        )
    except ValueError as error:
        raise BadUsage(
            f"--remap: {file.path} is not a table of labels, which are whole numbers from 0 up: {error}"
        ) from None
    return _two_columns(pairs, file)


def _read_npy(file: KnownFile) -> Pairs:
    import numpy as np

    try:
        array = np.lib.format.read_array(io.BytesIO(file.read()), allow_pickle=False)
    except ValueError as error:
        raise BadUsage(f"--remap: {file.path} is not an array of numbers: {error}") from None
    if array.dtype.names is not None and len(array.dtype.names) == 2:
        array = np.stack([_labels(array[name], file) for name in array.dtype.names], axis=-1)
    return _two_columns(_labels(array, file), file)


def _read_parquet(file: KnownFile) -> Pairs:
    import numpy as np

    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # it brings no types
        from pyarrow import parquet
    except ImportError:
        raise BadUsage(
            f"--remap: reading {file.path} takes pyarrow: pip install pyarrow, or give the table as CSV or .npy"
        ) from None
    try:
        table = parquet.read_table(pa.BufferReader(file.read()))
    except (pa.ArrowInvalid, OSError) as error:
        raise BadUsage(f"--remap: {file.path} is not a Parquet file: {error}") from None
    if table.num_columns != 2:
        raise BadUsage(f"--remap: {file.path} has {table.num_columns} columns: expected two, label and what it becomes")
    if any(column.null_count for column in table.columns):
        raise BadUsage(f"--remap: {file.path} has empty cells; a label that is to be left out becomes 0")
    return np.stack([_labels(column.to_numpy(), file) for column in table.columns], axis=-1)


def _labels(array: NDArray[Any], file: KnownFile) -> NDArray[np.uint64]:  # of whatever the file holds
    import numpy as np

    if array.dtype.kind not in "iu" or (array.dtype.kind == "i" and array.size and array.min() < 0):
        raise BadUsage(f"--remap: {file.path} holds {array.dtype}: labels are whole numbers from 0 up")
    return array.astype(np.uint64)


def _two_columns(array: Pairs, file: KnownFile) -> Pairs:
    if array.ndim != 2 or array.shape[1] != 2:
        raise BadUsage(f"--remap: {file.path} is {array.shape}: expected two columns, label and what it becomes")
    return array
