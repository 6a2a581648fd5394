"""How objects are compressed where they lie, and how one sees it from their names."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.store import Compression


class Levels(NamedTuple):
    """How hard a compression may try."""

    least: int
    usual: int
    most: int


# Measured with libdeflate on 128x128x64 chunks: level 6 packs uint64 labels at 770 MB/s to 1/131 and compressed_segmentation
# at 135 MB/s to 1/5.2, level 9 at 330 and 26 MB/s to 1/180 and 1/5.3; electron microscopy gains nothing above level 1.
LEVELS: dict[Compression, Levels] = {"gzip": Levels(1, 6, 12), "br": Levels(0, 5, 11), "zstd": Levels(1, 3, 19)}

ENDINGS: dict[str, Compression | None] = {"": None, ".gz": "gzip", ".br": "br", ".zstd": "zstd", ".zst": "zstd"}
ENDING: dict[Compression | None, str] = {None: "", "gzip": ".gz", "br": ".br", "zstd": ".zstd"}  # what is written


def compress(data: bytes | bytearray, how: Compression | None, level: int | None = None) -> bytes | bytearray:
    """Pack bytes; the same bytes always give the same result. None as the level is the one of LEVELS."""
    if how is None:
        return data
    level = LEVELS[how].usual if level is None else level
    if how == "gzip":
        import deflate

        return bytes(deflate.gzip_compress(data, level))
    if how == "br":
        import brotli

        return bytes(brotli.compress(data, quality=level))
    import zstandard

    return zstandard.ZstdCompressor(level=level, write_checksum=True).compress(data)


def check_level(how: Compression | None, level: int | None) -> None:
    """Raise BadUsage if a compression has no such level."""
    if level is None:
        return
    if how is None:
        raise BadUsage("--compress-level: means nothing with --compress none")
    levels = LEVELS[how]
    if not levels.least <= level <= levels.most:
        raise BadUsage(f"--compress-level: {how} has levels {levels.least} to {levels.most}, got {level}")


def decompress(data: bytes, how: Compression | None) -> bytes:
    """Unpack bytes; ValueError says what is wrong with them."""
    if how is None:
        return data
    if not data:
        raise ValueError("it is empty")
    try:
        if how == "gzip":
            return _gunzip(data)
        if how == "br":
            import brotli

            return bytes(brotli.decompress(data))
        return _unzstd(data)
    except Exception as error:  # noqa: BLE001 - each library has an exception class of its own
        raise ValueError(f"it is no whole {how} object ({error})") from None


def _gunzip(data: bytes) -> bytes:
    import deflate

    try:
        return bytes(deflate.gzip_decompress(data))
    except (deflate.DeflateError, ValueError):
        return _gunzip_members(data)  # what zlib too cannot read is broken


def _gunzip_members(data: bytes) -> bytes:
    """Several gzip members in a row, as bgzip and `cat` make them."""
    members = []
    while data:
        member = zlib.decompressobj(wbits=31)
        members.append(member.decompress(data))
        if not member.eof:
            raise ValueError("it ends too early")
        data = member.unused_data
    return b"".join(members)


def _unzstd(data: bytes) -> bytes:
    import zstandard

    frame = zstandard.ZstdDecompressor().decompressobj()  # a streamed frame does not say its size
    plain = frame.decompress(data)
    if not frame.eof:
        raise ValueError("it ends too early")
    return plain
