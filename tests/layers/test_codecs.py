"""Encodings against those who read and write them elsewhere, and what is said of bytes that lie."""

from __future__ import annotations

import importlib.util
import io
import math
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.make import Array, Vec, voxels
from PIL import Image

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.codec import decode, encode, most_bytes
from teravox.pipeline.layers.cut_off import check_whole
from teravox.pipeline.layers.encodings import NEEDS, TAKES, check_encoding
from teravox.pipeline.layers.info import Info, Scale

LABELS = ("compressed_segmentation", "compresso", "crackle")
LOSSY = ("jpeg", "jxl")
CASES = [
    *[("raw", dtype, channels) for dtype in ("uint8", "int16", "uint64", "float32") for channels in (1, 3)],
    *[("png", "uint8", channels) for channels in (1, 2, 3, 4)],
    *[("jpeg", "uint8", channels) for channels in (1, 3)],
    ("jxl", "uint8", 1),
    *[("compressed_segmentation", dtype, 1) for dtype in ("uint32", "uint64")],
    *[("compresso", dtype, 1) for dtype in ("uint8", "uint16", "uint32", "uint64")],
    *[("crackle", dtype, 1) for dtype in ("uint8", "uint16", "uint32", "uint64")],
    *[(encoding, "float32", channels) for encoding in ("fpzip", "kempressed", "zfpc") for channels in (1, 2)],
]


def scale(encoding: str, **words: Any) -> Scale:  # of any type
    return Scale(key="k", size=(1, 1, 1), resolution=(1, 1, 1), chunk_sizes=((8, 8, 8),), encoding=encoding, **words)


def skip_uninstalled(encoding: str) -> None:
    module = NEEDS.get(encoding, ("numpy", ""))[0]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")


def chunk(encoding: str, dtype: str, channels: int, size: Vec = (20, 19, 9), seed: int = 0) -> Array:
    if encoding in LABELS:
        return voxels(size, dtype, labels=90, seed=seed)
    if dtype == "float32":
        return np.cumsum(voxels(size, dtype, channels=channels, seed=seed), axis=0, dtype=np.float32)
    return voxels(size, dtype, channels=channels, seed=seed)


@pytest.mark.parametrize(("encoding", "dtype", "channels"), CASES)
def test_a_chunk_is_read_by_cloudvolume_and_one_of_cloudvolume_is_read(
    encoding: str, dtype: str, channels: int
) -> None:
    from cloudvolume import chunks

    skip_uninstalled(encoding)
    array = chunk(encoding, dtype, channels)
    how: dict[str, Any] = {"shape": array.shape, "dtype": dtype, "block_size": (8, 8, 8)}
    parameters = {} if encoding == "zfpc" else {"level": None} | ({"jxl_effort": 5} if encoding == "jxl" else {})
    theirs = chunks.encode(array, encoding, block_size=(8, 8, 8), compression_params=parameters)
    ours = encode(array, scale(encoding))
    read = decode(theirs, scale(encoding), array.shape, array.dtype)
    assert (read.dtype, read.shape) == (array.dtype, array.shape)
    if encoding in ("jpeg", "jxl"):
        assert np.array_equal(decode(ours, scale(encoding), array.shape, array.dtype), read)
        assert np.corrcoef(read.ravel(), array.ravel())[0, 1] > 0.5
    else:
        assert np.allclose(read, array, atol=1e-3 if encoding == "kempressed" else 0)
    if channels == 1 or encoding not in ("jpeg", "png"):  # whose channels it takes to lie one after another
        assert np.array_equal(chunks.decode(ours, encoding, **how), chunks.decode(theirs, encoding, **how))


@pytest.mark.parametrize(("encoding", "dtype", "channels"), CASES)
def test_a_chunk_is_decoded_into_a_part_of_a_larger_array(encoding: str, dtype: str, channels: int) -> None:
    skip_uninstalled(encoding)
    array = chunk(encoding, dtype, channels)
    data = encode(array, scale(encoding))
    for order in ("F", "C"):
        large = np.zeros((25, 24, 12, channels), dtype, order=order)
        place = large[3:23, 2:21, 1:10]
        assert decode(data, scale(encoding), array.shape, array.dtype, place) is place
        assert np.array_equal(place, decode(data, scale(encoding), array.shape, array.dtype))
        place[...] = 0
        assert not large.any()


@pytest.mark.parametrize(("encoding", "dtype", "channels"), [case for case in CASES if case[0] not in LOSSY])
def test_a_part_of_an_array_is_encoded_as_its_copy_is(encoding: str, dtype: str, channels: int) -> None:
    skip_uninstalled(encoding)
    array = chunk(encoding, dtype, channels, (30, 29, 12))
    for part in (array[2:22, 3:22, 1:10], np.ascontiguousarray(array[2:22, 3:22, 1:10])):
        assert encode(part, scale(encoding)) == encode(part.copy(order="F"), scale(encoding))


def png(picture: Array, **options: Any) -> bytes:  # of any type
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png", **options)
    return file.getvalue()


@settings(deadline=None, max_examples=30)
@given(st.tuples(*[st.integers(1, 12)] * 3), st.integers(1, 4), st.sampled_from([None, 0, 1, 9]), st.integers(0, 99))
def test_a_png_is_what_pillow_reads_too(size: Vec, channels: int, level: int | None, seed: int) -> None:
    array = voxels(size, "uint8", channels=channels, seed=seed)
    data = encode(array, scale("png", png_level=level))
    picture = np.asarray(Image.open(io.BytesIO(data))).reshape(size[2], size[1], size[0], channels)
    assert np.array_equal(picture.transpose(2, 1, 0, 3), array)
    assert np.array_equal(decode(data, scale("png"), array.shape, array.dtype), array)
    theirs = png(np.asarray(Image.open(io.BytesIO(data))))
    assert np.array_equal(decode(theirs, scale("png"), array.shape, array.dtype), array)


@pytest.mark.parametrize("what", ["noise", "the same plane again and again", "black"])
def test_a_large_png_is_what_pillow_reads_and_takes_few_bytes(what: str) -> None:
    """It is searched for what comes again only where a sample says that this pays."""
    array = voxels((64, 48, 40), "uint8")
    if what == "noise":
        array >>= 3
    elif what == "black":
        array[:] = 0
    else:
        array[...] = array[:, :, :1]
    data = encode(array, scale("png"))
    picture = np.asarray(Image.open(io.BytesIO(data))).reshape(40, 48, 64)
    assert np.array_equal(picture.transpose(2, 1, 0), array[..., 0])
    assert np.array_equal(decode(data, scale("png"), array.shape, array.dtype), array)
    assert len(data) <= 1.02 * len(encode(array, scale("png", png_level=6)))


def test_a_png_of_an_unusual_sort_is_read() -> None:
    colours = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).convert("RGB").quantize(64)
    file = io.BytesIO()
    colours.save(file, "png")
    read = decode(file.getvalue(), scale("png"), (8, 8, 1, 3), np.dtype("uint8"))
    assert np.array_equal(read[:, :, 0].transpose(1, 0, 2), np.asarray(colours.convert("RGB")))


def test_a_picture_may_be_laid_out_in_rows_of_any_length() -> None:
    """The format asks for no more than the right number of voxels in the right order."""
    array = voxels((4, 6, 5), "uint8")
    flat = array.reshape(-1, order="F").reshape(6, 20)
    assert np.array_equal(decode(png(flat), scale("png"), array.shape, array.dtype), array)


def test_levels_and_qualities_are_those_of_the_scale() -> None:
    array = voxels((32, 32, 8), "uint8", labels=200)
    assert len(encode(array, scale("png", png_level=0))) > len(encode(array, scale("png", png_level=9)))
    assert len(encode(array, scale("jpeg", jpeg_quality=95))) > len(encode(array, scale("jpeg", jpeg_quality=20)))
    skip_uninstalled("jxl")
    lossless = encode(array, scale("jxl", jxl_quality=100))
    assert np.array_equal(decode(lossless, scale("jxl"), array.shape, array.dtype), array)


@pytest.mark.parametrize(
    "words", [{"zfpc_precision": 12}, {"zfpc_tolerance": 1.0}, {"zfpc_correlated_dims": (True, True, False, False)}]
)
def test_what_a_scale_says_of_zfpc_is_done(words: dict[str, Any]) -> None:
    skip_uninstalled("zfpc")
    array = chunk("zfpc", "float32", 2)
    data = encode(array, scale("zfpc", **words))
    assert data != encode(array, scale("zfpc"))
    read = decode(data, scale("zfpc"), array.shape, array.dtype)
    assert np.abs(read - array).max() <= (1.0 if "zfpc_tolerance" in words else np.abs(array).max() / 10)


def part(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def huge_png() -> bytes:
    header = struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(bytes(10**7))) + part(b"IEND", b"")
    )


def huge_jpeg() -> bytes:
    data = encode(np.zeros((8, 8, 8, 1), np.uint8), scale("jpeg"))
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", 65_500, 65_500) + data[at + 4 :]


def huge_jxl() -> bytes:
    return encode(np.zeros((500, 500, 8, 1), np.uint8), scale("jxl"))


def huge_crackle() -> bytes:
    import crackle

    return bytes(crackle.compress(np.zeros((500, 500, 50), np.uint8)))


def huge_compresso() -> bytes:
    data = encode(np.zeros((8, 8, 8, 1), np.uint8), scale("compresso"))
    return data[:6] + struct.pack("<HHH", 65_535, 65_535, 65_535) + data[12:]


def huge_fpzip() -> bytes:
    import fpzip

    return bytes(fpzip.compress(np.zeros((300, 300, 300, 1), np.float32), order="F"))


def huge_zfpc() -> bytes:
    data = encode(np.zeros((8, 8, 8, 1), np.float32), scale("zfpc"))
    return data[:6] + struct.pack("<IIII", *[1 << 31] * 4) + data[22:]


@pytest.mark.parametrize("make", [huge_png, huge_jpeg, huge_jxl, huge_crackle, huge_compresso, huge_fpzip, huge_zfpc])
def test_a_chunk_that_says_it_is_huge_is_refused_before_memory_is_taken(make: Any) -> None:  # Any: one of those above
    import resource

    encoding = make.__name__.removeprefix("huge_")
    skip_uninstalled(encoding)
    data = make()
    dtype = np.dtype("float32" if encoding in ("fpzip", "zfpc") else "uint8")
    decode(
        encode(np.zeros((8, 8, 8, 1), dtype), scale(encoding)), scale(encoding), (8, 8, 8, 1), dtype
    )  # loads its library
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=r"expected|holds|shape"):
        decode(data, scale(encoding), (8, 8, 8, 1), dtype)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KB, or bytes


@pytest.mark.parametrize("order", ["C", "F"])
def test_crackle_of_an_array_in_either_order_is_decoded_in_fortran_order(order: Any) -> None:  # Any: one of those above
    import crackle

    labels = np.random.default_rng(0).integers(0, 9, (11, 12, 13), np.uint32)
    data = bytes(crackle.compress(np.array(labels, order=order)))
    assert crackle.header(data).fortran_order == (order == "F")
    read = decode(data, scale("crackle"), (11, 12, 13, 1), labels.dtype)
    assert read.flags.f_contiguous
    assert np.array_equal(read[..., 0], labels)
    for at in range(4, 29):  # of the header; its check sum is no other's
        broken = bytearray(data)
        broken[at] ^= 1
        with pytest.raises(ValueError):
            decode(bytes(broken), scale("crackle"), (11, 12, 13, 1), labels.dtype)


def test_a_png_whose_voxels_are_more_than_it_says_is_refused() -> None:
    header = struct.pack(">IIBBBBB", 8, 64, 8, 0, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(bytes(10**7))) + part(b"IEND", b"")
    )
    with pytest.raises(ValueError, match="png data are broken"):
        decode(data, scale("png"), (8, 8, 8, 1), np.dtype("uint8"))


@pytest.mark.parametrize("encoding", ["jpeg", "png", "raw", *LABELS, "fpzip", "zfpc", "jxl"])
def test_a_chunk_of_another_shape_is_refused_without_decoding_it_too(encoding: str) -> None:
    skip_uninstalled(encoding)
    dtype = next(iter(TAKES[encoding][0] or ["uint8"]))
    array = chunk(encoding, dtype, 1, (16, 16, 8))
    data = encode(array, scale(encoding))
    check = [] if encoding == "jxl" else [check_whole]
    others: list[tuple[int, int, int, int]] = [(16, 16, 9, 1), (16, 8, 8, 1)]
    for shape in others:
        if encoding == "compressed_segmentation" and shape[2] == 8:
            continue  # it does not say that it has more blocks
        with pytest.raises(ValueError):
            decode(data, scale(encoding), shape, array.dtype)
        for look in check:
            with pytest.raises(ValueError):
                look(encoding, data, shape, array.dtype, (8, 8, 8))
    for look in check:
        look(encoding, data, array.shape, array.dtype, (8, 8, 8))


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(*[st.integers(1, 20)] * 3),
    st.sampled_from(["uint8", "uint16", "uint32", "uint64"]),
    st.integers(1, 5000),
    st.integers(0, 99),
)
def test_every_compresso_chunk_is_found_to_be_whole(size: Vec, dtype: str, labels: int, seed: int) -> None:
    array = voxels(size, dtype, labels=labels, seed=seed)
    data = encode(array, scale("compresso"))
    assert np.array_equal(decode(data, scale("compresso"), array.shape, array.dtype), array)
    check_whole("compresso", data, array.shape, array.dtype, (8, 8, 8))
    for cut in (1, 2, 7, len(data) // 2, len(data) - 36, len(data) - 1):
        with pytest.raises(ValueError):
            check_whole("compresso", data[: max(len(data) - cut, 1)], array.shape, array.dtype, (8, 8, 8))


@pytest.mark.parametrize(
    "options", [{"steps": (8, 8, 1)}, {"steps": (4, 4, 1)}, {"connectivity": 6}, {"random_access_z_index": False}]
)
def test_every_sort_of_compresso_is_read(options: dict[str, Any]) -> None:
    import compresso

    array = voxels((40, 33, 9), "uint32", labels=300)
    data = compresso.compress(array, **options)
    assert np.array_equal(decode(data, scale("compresso"), array.shape, array.dtype), array)
    with pytest.raises(ValueError):
        decode(data[:-8], scale("compresso"), array.shape, array.dtype)


@pytest.mark.parametrize("encoding", TAKES)
def test_no_chunk_needs_more_bytes_than_one_may_have(encoding: str) -> None:
    """Noise is what packs worst."""
    skip_uninstalled(encoding)
    for dtype in TAKES[encoding][0] or ("uint8", "float32"):
        for size in ((1, 1, 1), (9, 9, 9), (64, 64, 8)):
            array = voxels(size, dtype)
            assert len(encode(array, scale(encoding))) <= most_bytes(encoding, array.shape, array.dtype)
    assert most_bytes("raw", (64, 64, 64, 1), np.dtype("uint8")) < 3 * math.prod((64, 64, 64))


def test_an_encoding_that_is_not_there_is_named_with_those_that_are() -> None:
    info = Info(type="image", data_type="uint8", num_channels=1, scales=(scale("nonsense"),))
    with pytest.raises(BadUsage, match="there is no encoding 'nonsense'; there are raw, jpeg"):
        check_encoding("nonsense", info)
    array = voxels((8, 8, 8), "uint8")
    with pytest.raises(BadUsage, match="nonsense"):
        encode(array, scale("nonsense"))
    with pytest.raises(BadUsage, match="nonsense"):
        decode(b"x", scale("nonsense"), array.shape, array.dtype)


def test_an_encoding_whose_package_is_missing_is_named_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teravox.pipeline.layers.encodings.find_spec", lambda _: None)
    info = Info(type="image", data_type="uint8", num_channels=1, scales=(scale("jxl"),))
    with pytest.raises(BadUsage, match="jxl needs a package that is not installed: pip install imagecodecs"):
        check_encoding("jxl", info)
