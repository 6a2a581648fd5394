"""`.npy` files, as numpy saves them."""

from __future__ import annotations

from pathlib import Path

from teravox.pipeline.errors import BadInput
from teravox.pipeline.sources.flat import FlatSource
from teravox.pipeline.storage.errno_sentences import explain


def open_npy(path: str) -> FlatSource:
    """A .npy file: of x, y, z if it is in Fortran order, else of z, y, x."""
    import numpy as np

    try:
        with Path(path).open("rb") as file:
            try:
                version = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, is_fortran, dtype = read(file)
            except (ValueError, SyntaxError) as error:
                raise BadInput(f"{path} is no .npy file that numpy could have saved: {error}") from None
            begin = file.tell()
    except OSError as error:
        raise explain(error, "read", path) from error
    if dtype.hasobject:
        raise BadInput(f"{path} holds Python objects and no numbers")
    return FlatSource(path, tuple(shape), dtype, begin=begin, order="F" if is_fortran and len(shape) > 1 else "C")
