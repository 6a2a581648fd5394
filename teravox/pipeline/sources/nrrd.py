"""`.nrrd` files, and `.nhdr` headers with their data in a file beside them."""

from __future__ import annotations

from pathlib import Path

from teravox.pipeline.errors import BadInput
from teravox.pipeline.sources.beside import file_beside
from teravox.pipeline.sources.flat import FlatSource
from teravox.pipeline.sources.nrrd_header import NrrdHeader, read_nrrd_header
from teravox.pipeline.sources.source import bytes_of
from teravox.pipeline.storage.errno_sentences import explain


def open_nrrd(path: str) -> FlatSource:
    """An NRRD file: x, y, z, the first lying closest together, unless its kinds say otherwise."""
    import numpy as np

    try:
        with Path(path).open("rb") as file:
            header = read_nrrd_header(file, path)
    except OSError as error:
        raise explain(error, "read", path) from error
    data = _data_file(path, header)
    begin = header.end if data == path else 0
    dtype = np.dtype(header.code)
    gzip_from = None
    if header.encoding == "gzip":
        gzip_from, begin = begin, max(0, header.skip)
    elif header.encoding != "raw":
        raise BadInput(
            f"{path} is encoded as {header.encoding}, and raw and gzip can be read; change it with: unu save -e gzip"
        )
    elif header.skip == -1:
        begin = _size(data) - bytes_of(header.shape, dtype)
    else:
        begin += header.skip
    return FlatSource(
        data, header.shape, dtype, begin=begin, order="F", axes=header.axes, axes_are_said=True, known=header.known,
        gzip_from=gzip_from,
    )  # fmt: skip


def _data_file(path: str, header: NrrdHeader) -> str:
    name = header.data_file
    if name is None:
        return path
    if name.upper().startswith("LIST") or "%" in name:
        raise BadInput(f"{path} keeps its data in several files, which are not read here; join them with: unu save")
    return file_beside(path, name, "its data are")


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError as error:
        raise explain(error, "read", path) from error
