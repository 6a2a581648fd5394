"""How objects are compressed where they lie, and how one sees it from their names."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.store import Compression


class Levels(NamedTuple):
    """How hard a compression may try."""

    least: int
    usual: int
    most: int


# Measured with libdeflate on 128x128x64 chunks: level 5 packs compressed_segmentation at 95 MB/s to within 1.5 % of what level 9
# makes of it at 23 MB/s, compresso at 100 MB/s to no more than level 9 does; electron microscopy gains nothing above level 1.
LEVELS: dict[Compression, Levels] = {"gzip": Levels(1, 5, 12), "br": Levels(0, 5, 11), "zstd": Levels(1, 3, 19)}

_MOST_GZIP_PACKS = 1040  # bytes in one; deflate reaches 1032
_GZIP_BEGIN = b"\x1f\x8b\x08"
_ZSTD_STEP = 256  # bytes, which can become 11 MB

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


def compress_parts(parts: Iterable[bytes], how: Compression | None) -> Iterator[bytes]:
    """Pack what comes part after part; the same parts always give the same result, but not that of `compress`."""
    if how is None:
        yield from parts
        return
    level = LEVELS[how].usual
    if how == "br":
        import brotli

        packer = brotli.Compressor(quality=level)
        pack, finish = packer.process, packer.finish
    elif how == "zstd":
        import zstandard

        frame = zstandard.ZstdCompressor(level=level, write_checksum=True).compressobj()
        pack, finish = frame.compress, frame.flush
    else:
        member = zlib.compressobj(level, wbits=31)
        pack, finish = member.compress, member.flush
    for part in parts:
        if packed := pack(part):
            yield packed
    yield finish()


def check_level(how: Compression | None, level: int | None) -> None:
    """Raise BadUsage if a compression has no such level."""
    if level is None:
        return
    if how is None:
        raise BadUsage("--compress-level: means nothing with --compress none")
    levels = LEVELS[how]
    if not levels.least <= level <= levels.most:
        raise BadUsage(f"--compress-level: {how} has levels {levels.least} to {levels.most}, got {level}")


def decompress(data: bytes, how: Compression | None, most: int | None = None) -> bytes:
    """Unpack bytes; ValueError says what is wrong with them, or that they would become more than `most`."""
    return bytes(unpack(data, how, most))


def unpack(data: bytes, how: Compression | None, most: int | None = None) -> bytes | bytearray:
    """The same as they come, which spares a copy of what is large."""
    if how is None:
        if most is not None and len(data) > most:
            raise _too_much(most)
        return data
    if not data:
        raise ValueError("it is empty")
    try:
        if how == "gzip":
            return _gunzip(data, most)
        if how == "br":
            return _unbrotli(data, most)
        return _unzstd(data, most)
    except _TooMuchError:
        raise
    except Exception as error:  # noqa: BLE001 - each library has an exception class of its own
        raise ValueError(f"it is no whole {how} object ({error})") from None


class _TooMuchError(ValueError):
    """Somebody's bytes unpack to more than they may."""


def _too_much(most: int) -> _TooMuchError:
    return _TooMuchError(f"it has more than the {most:,} bytes that it may have")


def _gunzip(data: bytes, most: int | None) -> bytes | bytearray:
    """By libdeflate, if that can do it: it takes as much memory as the end says, and stops after the first member."""
    import deflate

    said = int.from_bytes(data[-4:], "little")
    is_likely = 0 < said <= min(_MOST_GZIP_PACKS * len(data), said if most is None else most)
    if is_likely and data.rfind(_GZIP_BEGIN) <= 0:
        try:
            plain: bytearray = deflate.gzip_decompress(data)
        except (deflate.DeflateError, ValueError):
            plain = bytearray()  # what zlib too cannot read is broken
        if len(plain) == said:
            return plain
    return _gunzip_members(data, most)


def _gunzip_members(data: bytes, most: int | None) -> bytes:
    """Several gzip members in a row, as bgzip and `cat` make them."""
    members = []
    size = 0
    while data:
        member = zlib.decompressobj(wbits=31)
        members.append(member.decompress(data, 0 if most is None else most - size + 1))
        size += len(members[-1])
        if most is not None and size > most:
            raise _too_much(most)
        if not member.eof:
            raise ValueError("it ends too early")
        data = member.unused_data
    return b"".join(members)


def _unbrotli(data: bytes, most: int | None) -> bytes:
    import brotli

    if most is None:
        return bytes(brotli.decompress(data))
    plain = brotli.Decompressor()
    parts = [plain.process(data, output_buffer_limit=most + 1)]
    while not plain.is_finished():
        if sum(map(len, parts)) > most:
            raise _too_much(most)
        parts.append(plain.process(b"", output_buffer_limit=most + 1))
        if not parts[-1]:
            raise ValueError("it ends too early")
    if sum(map(len, parts)) > most:
        raise _too_much(most)
    return b"".join(parts)


def _unzstd(data: bytes, most: int | None) -> bytes:
    import zstandard

    said = zstandard.frame_content_size(data)  # a streamed frame does not say it
    if most is not None and said > most:
        raise _too_much(most)
    frame = zstandard.ZstdDecompressor().decompressobj()
    step = len(data) if most is None or said >= 0 else _ZSTD_STEP
    parts: list[bytes] = []
    size = 0
    for begin in range(0, len(data), step):
        parts.append(frame.decompress(data[begin : begin + step]))
        size += len(parts[-1])
        if most is not None and size > most:
            raise _too_much(most)
        if frame.eof:
            return b"".join(parts)
    raise ValueError("it ends too early")
