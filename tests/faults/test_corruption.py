"""T8: chunks, shards and infos that were cut off, damaged or lost, in every encoding."""

from __future__ import annotations

import importlib.util
import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults.reader import Edit, Found
from faults.workers import fleet
from layers.make import make_layer, voxels

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.encodings import NEEDS
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.ledger import Ledger
from teravox.pipeline.message import job_id
from teravox.pipeline.queues.folder import FolderQueue
from teravox.pipeline.storage.compression import ENDING, compress
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.submit import submit
from teravox.tasks.image.downsample import Downsample

pytestmark = pytest.mark.faults

SIZE = (24, 20, 18)
FLIPS = 200
ENCODINGS = {
    "raw": "uint16",
    "png": "uint8",
    "jpeg": "uint8",
    "jxl": "uint8",
    "compressed_segmentation": "uint64",
    "compresso": "uint32",
    "crackle": "uint32",
    "fpzip": "float32",
    "kempressed": "float32",
    "zfpc": "float32",
}
CHUNK = "4_4_40/0-24_0-20_0-18"
PACKINGS = [None, "gzip", "zstd", "br"]


def layer_in(folder: Path, encoding: str, *, how: Any = None, size: Any = SIZE, chunk: Any = SIZE) -> Path:  # Any: Vec
    """A layer of chunks that are compressed as asked for."""
    module = NEEDS.get(encoding, ("numpy", ""))[0]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    is_labels = encoding in ("compressed_segmentation", "compresso", "crackle")
    array = voxels(size, ENCODINGS[encoding], labels=60 if is_labels else None)
    if ENCODINGS[encoding] == "float32":
        array = np.cumsum(array, axis=0, dtype=np.float32)
    path = make_layer(folder, array, chunk=chunk, encoding=encoding, compress=False)
    layer = Layer.open(path)
    layer.write(layer.bounds(0), 0, array, compress=how)
    return folder


READER: list[subprocess.Popen[str]] = []  # the one that reads for the tests of this module


@pytest.fixture(autouse=True, scope="module")
def _reader() -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-m", "faults.reader"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    ) as process:
        READER.append(process)
        yield
        READER.clear()


def read_each(layer: Path, file: str, versions: Iterable[list[Edit]], *, fill_missing: bool = False) -> list[Found]:
    """What comes of reading a layer whose file is damaged in each of these ways."""
    (reader,) = READER
    assert reader.stdin and reader.stdout
    print(json.dumps([str(layer), str(layer / file), fill_missing, list(versions)]), file=reader.stdin, flush=True)
    answer = reader.stdout.readline()
    assert answer, f"the reader ended with {reader.wait()}"
    return [Found(*found) for found in json.loads(answer)]


def cuts(length: int) -> list[int]:
    """Lengths that a file may be cut to: all near its ends, and others between."""
    return sorted(
        {*range(min(64, length)), *range(0, length, max(length // 60, 1)), *range(max(length - 24, 0), length)}
    )


def flips(length: int, count: int = FLIPS, seed: int = 0) -> list[list[Edit]]:
    choice = random.Random(seed)
    return [[("flip", choice.randrange(8 * length))] for _ in range(count)]


def is_helpful(text: str, layer: Path, key: str) -> bool:
    """Whether a sentence names the layer, the key and the way out."""
    return str(layer) in text and key in text and "rite it again" in text


@pytest.mark.parametrize("fill_missing", [False, True])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_chunk_that_is_cut_off_anywhere_is_named_and_kills_nobody(
    tmp_path: Path, encoding: str, fill_missing: bool
) -> None:
    layer = layer_in(tmp_path / "layer", encoding)
    lengths = cuts((layer / CHUNK).stat().st_size)
    found = dict(
        zip(lengths, read_each(layer, CHUNK, [[("cut", n)] for n in lengths], fill_missing=fill_missing), strict=True)
    )
    is_unguarded = encoding in ("fpzip", "kempressed")  # their codec crashes on some, which a child is for
    assert {one.word for one in found.values()} <= {"refused", "same", *(["died"] if is_unguarded else [])}
    assert all(is_helpful(one.text, layer, CHUNK) for one in found.values() if one.word == "refused")
    # fpzip's last bytes only fill up its last word: without them nothing is lost
    same = [length for length, one in found.items() if one.word == "same"]
    assert min(same, default=lengths[-1] + 1) >= lengths[-1] + 1 - (4 if is_unguarded else 0)


@pytest.mark.parametrize("how", PACKINGS[1:])
@pytest.mark.parametrize("encoding", ["raw", "compressed_segmentation", "compresso"])
def test_a_compressed_chunk_that_is_cut_off_or_has_a_bit_flipped_is_named(
    tmp_path: Path, encoding: str, how: Any
) -> None:
    layer = layer_in(tmp_path / "layer", encoding, how=how)
    file = CHUNK + ENDING[how]
    length = (layer / file).stat().st_size
    found = read_each(layer, file, [[("cut", n)] for n in cuts(length)])
    assert {one.word for one in found} == {"refused"}
    assert all(is_helpful(one.text, layer, CHUNK) for one in found)
    if how != "br":  # which has no check sum
        found = read_each(layer, file, flips(length))
        assert {one.word for one in found} <= {"refused", "same"}  # in a gzip header some bits mean nothing
        assert Counter(one.word for one in found)["same"] < 20


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_missing_chunk_is_named_or_with_fill_missing_black(tmp_path: Path, encoding: str) -> None:
    layer = layer_in(tmp_path / "layer", encoding)
    (found,) = read_each(layer, CHUNK, [[("remove", 0)]])
    assert found.word == "refused"
    assert "--fill-missing" in found.text
    assert CHUNK in found.text
    (found,) = read_each(layer, CHUNK, [[("remove", 0)]], fill_missing=True)
    assert found.word == "black"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_flipped_bits_are_refused_with_a_sentence_or_change_voxels(
    tmp_path: Path, encoding: str, figures: Callable[[str], None]
) -> None:
    """What has no check sum cannot tell; but nothing is raised that is no sentence, and nothing hangs."""
    layer = layer_in(tmp_path / "layer", encoding)
    found = read_each(layer, CHUNK, flips((layer / CHUNK).stat().st_size))
    words = Counter(one.word for one in found)
    figures(f"T8: {FLIPS} flipped bits in {encoding}: {', '.join(f'{n} {word}' for word, n in sorted(words.items()))}")
    assert set(words) <= {"refused", "same", "other", "died"}
    assert all(is_helpful(one.text, layer, CHUNK) for one in found if one.word == "refused")
    if encoding in ("compressed_segmentation", "crackle", "raw", "png", "jpeg", "jxl"):
        assert not words["died"]
    if encoding in ("crackle", "png"):
        assert not words["other"]  # all of it has check sums


@pytest.mark.parametrize("how", [None, "gzip", "zstd", "br"])
def test_a_file_that_unpacks_to_more_than_a_chunk_can_be_is_refused(tmp_path: Path, how: Any) -> None:
    layer = layer_in(tmp_path / "layer", "raw")
    (layer / CHUNK).unlink()
    (layer / (CHUNK + ENDING[how])).write_bytes(compress(bytes(300_000_000), how))
    (found,) = read_each(layer, CHUNK + ENDING[how], [[]])
    assert found.word == "refused"
    assert is_helpful(found.text, layer, CHUNK)
    assert re.search(r"more than the [\d,]+ bytes that it may have|where at most [\d,]+ can be expected", found.text)


@pytest.mark.parametrize("broken", [b"", b"\x1f\x8b\x08", b"nonsense"])
def test_a_broken_file_beside_a_chunk_in_another_compression_is_never_read_as_voxels(
    tmp_path: Path, broken: bytes
) -> None:
    layer = layer_in(tmp_path / "layer", "raw")
    (layer / f"{CHUNK}.gz").write_bytes(broken)
    (found,) = read_each(layer, f"{CHUNK}.gz", [[]])
    assert found.word == "same"
    (layer / f"{CHUNK}.gz").write_bytes(compress((layer / CHUNK).read_bytes(), "gzip"))
    (layer / CHUNK).write_bytes(broken)
    assert read_each(layer, CHUNK, [[]])[0].word == "refused"
    opened = Layer.open(str(layer))
    opened.write(opened.bounds(0), 0, np.ones((*SIZE, 1), np.uint16))
    assert sorted(file.name for file in (layer / CHUNK).parent.iterdir()) == [f"{Path(CHUNK).name}.gz"]


def test_an_info_that_was_cut_off_or_has_a_bit_flipped_is_refused_with_a_sentence(tmp_path: Path) -> None:
    layer = layer_in(tmp_path / "layer", "raw")
    length = (layer / "info").stat().st_size
    found = read_each(layer, "info", [*([("cut", n)] for n in range(0, length - 1, 5)), *flips(length)])
    # the voxels that a flipped bit leaves black or others are those of another type, size or mip than were asked for
    words = Counter(one.word for one in found)
    assert set(words) <= {"refused", "same", "other", "error"}
    assert {one.text.partition(":")[0] for one in found if one.word == "error"} <= {"Fatal", "BadUsage"}
    assert {one.word for one in found[: len(range(0, length - 1, 5))]} == {"refused"}


def sharded_layer(folder: Path, packing: str) -> tuple[Path, str]:
    """A layer in one shard of several chunks and minishards; and the shard."""
    layer = Layer.open(str(layer_in(folder, "raw", size=(16, 16, 16), chunk=(8, 8, 8))))
    array = layer.read(layer.bounds(0), 0)
    raw = layer.raw
    raw["scales"][0]["sharding"] = {
        "@type": "neuroglancer_uint64_sharded_v1",
        "hash": "identity",
        "preshift_bits": 1,
        "minishard_bits": 2,
        "shard_bits": 0,
        "minishard_index_encoding": packing,
        "data_encoding": packing,
    }
    sharded = layer.write_info(raw)
    sharded.write(sharded.bounds(0), 0, array)
    return folder, "4_4_40/0.shard"


@pytest.mark.parametrize("fill_missing", [False, True])
@pytest.mark.parametrize("packing", ["raw", "gzip"])
def test_a_shard_that_is_cut_off_anywhere_is_named(tmp_path: Path, packing: str, fill_missing: bool) -> None:
    layer, shard = sharded_layer(tmp_path / "layer", packing)
    found = read_each(
        layer, shard, [[("cut", n)] for n in cuts((layer / shard).stat().st_size)], fill_missing=fill_missing
    )
    assert {one.word for one in found} == {"refused"}
    assert all(is_helpful(one.text, layer, shard) for one in found)
    (found_missing,) = read_each(layer, shard, [[("remove", 0)]], fill_missing=fill_missing)
    assert found_missing.word == ("black" if fill_missing else "refused")


@pytest.mark.parametrize("packing", ["raw", "gzip"])
def test_a_bit_flipped_in_a_shard_is_named_or_changes_voxels(
    tmp_path: Path, packing: str, figures: Callable[[str], None]
) -> None:
    layer, shard = sharded_layer(tmp_path / "layer", packing)
    length = (layer / shard).stat().st_size
    everywhere, index = flips(length), flips(64)  # of which the first 64 bytes are the index of the shard
    found = read_each(layer, shard, [*everywhere, *index])
    words = Counter(one.word for one in found)
    figures(
        f"T8: {len(found)} flipped bits in a {packing} shard: {', '.join(f'{n} {w}' for w, n in sorted(words.items()))}"
    )
    assert set(words) <= {"refused", "same", "other"}
    assert {one.word for one in found[FLIPS:]} <= {"refused"}
    ways_out = ("rite it again", "--fill-missing")  # an index may have become one that tells of fewer chunks
    refused = [one.text for one in found if one.word == "refused"]
    assert all(str(layer) in text and any(way in text for way in ways_out) for text in refused)
    if packing == "gzip":
        assert not words["other"]


def test_a_shard_whose_index_tells_twice_of_one_minishard_is_named(tmp_path: Path) -> None:
    layer, shard = sharded_layer(tmp_path / "layer", "raw")
    data = bytearray((layer / shard).read_bytes())
    data[:16] = data[16:32]
    (layer / shard).write_bytes(data)
    opened = Layer.open(str(layer))
    with pytest.raises(BadInput, match=r"0\.shard cannot be read: its index tells more than once of the same number"):
        opened.read(opened.bounds(0), 0)


def test_a_worker_survives_every_damage_and_records_every_attempt(
    tmp_path: Path, figures: Callable[[str], None]
) -> None:
    """One real worker on layers of all encodings, in which most chunks are damaged in one way or another."""
    queue = FolderQueue(tmp_path / "q", create=True)
    jobs: dict[str, Downsample] = {}
    is_sound: dict[str, set[str]] = {}
    for encoding in ENCODINGS:
        if importlib.util.find_spec(NEEDS.get(encoding, ("numpy", ""))[0]) is None:
            continue
        layer = layer_in(tmp_path / encoding, encoding, size=(16, 16, 64), chunk=(16, 16, 4))
        is_sound[encoding] = damage_most(layer)
        job = Downsample(layer=f"file://{layer}", num_mips=1, shape=(16, 16, 4), factor=(2, 2, 1), method="stride")
        submit(job, "image downsample", queue, resume=False, command="", progress=lambda _: None)
        jobs[encoding] = job
    total = sum(len(job.pieces()) for job in jobs.values())
    assert total == 16 * len(jobs)
    with fleet(tmp_path / "q") as workers:
        workers.start("--exit-on-empty", "--tries", "1", "--lease-sec", "30")
        assert workers.wait() == [1], workers.said[-5000:]
    letters = list(FolderQueue(tmp_path / "q").dead())
    sorts = Counter(failure.sort for letter in letters for failure in letter.failures)
    done = {encoding: done_pieces(job) for encoding, job in jobs.items()}
    figures(
        f"T8: {total} tasks on damaged chunks of {len(jobs)} encodings: {sum(map(len, done.values()))} done, "
        f"{', '.join(f'{n} {sort}' for sort, n in sorted(sorts.items()))}; one worker, which ended in order"
    )
    assert sum(map(len, done.values())) + len(letters) == total
    assert all(letter.attempts == len(letter.failures) == 1 for letter in letters)
    assert set(sorts) <= {"bad input", "crashed"}
    assert sorts["bad input"] >= 6 * len(jobs)  # cut off, empty and missing ones
    for encoding, sound in is_sound.items():
        assert sound <= done[encoding]
    for letter in letters:
        job, piece = (json.loads(letter.body)[part] for part in ("job", "piece"))
        chunk = "_".join(f"{low}-{high}" for low, high in zip(piece["min"], piece["max"], strict=True))
        assert f"chunk 4_4_40/{chunk} of layer {job['layer']}" in letter.failures[0].text
        assert "rite it again" in letter.failures[0].text or "--fill-missing" in letter.failures[0].text


def damage_most(layer: Path) -> set[str]:
    """Two chunks stay sound, whose names are returned; two each are cut off, emptied and removed, and the rest have bits flipped."""
    files = sorted((layer / "4_4_40").iterdir())
    for number, file in enumerate(files[2:]):
        whole = file.read_bytes()
        if number < 2:
            file.write_bytes(whole[: len(whole) * (number + 1) // 3])
        elif number < 4:
            file.write_bytes(b"")
        elif number < 6:
            file.unlink()
        else:
            choice = random.Random(number)
            data = bytearray(whole)
            for _ in range(3):
                data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)
            file.write_bytes(bytes(data))
    return {file.name for file in files[:2]}


def done_pieces(job: Downsample) -> set[str]:
    """The pieces that the ledger has a record of, by the names of their chunks."""
    ledger = Ledger(open_store(job.layer), job_id("image downsample", job))
    boxes = [record.piece for record in ledger.records()]
    return {"_".join(f"{low}-{high}" for low, high in zip(box["min"], box["max"], strict=True)) for box in boxes}
