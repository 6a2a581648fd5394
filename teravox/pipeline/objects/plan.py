"""How fragments are merged: into which folder, and in how many parts; written beside them for those who do it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.sharding.spec import Packing, ShardSpec
from teravox.pipeline.objects.forged import Forged
from teravox.pipeline.objects.heads import Counts, Heads
from teravox.pipeline.objects.order import MINISHARD_BITS, shard_of
from teravox.pipeline.objects.part import Part
from teravox.pipeline.objects.result_folder import find_folder
from teravox.pipeline.objects.sort import Sort
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.store import Store

MOST_LABELS = 1 << 16  # of a part: then the index of a minishard tells of a thousand
MOST_BITS = 20
ROWS_SHARE = 8  # of the memory of a task, the part that rows may take


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What `prepare` decided. Parts are equal in size but for chance, and for large labels."""

    forge: str  # its id
    stamp: str  # of the job and of what it merges: the mark of the folder
    folder: str  # of the new objects, within the layer
    bits: int  # there are 2^bits parts
    sums: Counts  # of all pieces
    largest: Counts  # what no part has more of

    @property
    def parts(self) -> int:
        return 1 << self.bits

    def spec(self, packing: Packing) -> ShardSpec:
        """How the labels are sharded: a shard for each part."""
        return ShardSpec(
            preshift_bits=0,
            hash="murmurhash3_x86_128",
            minishard_bits=MINISHARD_BITS,
            shard_bits=self.bits,
            minishard_index_encoding="gzip",
            data_encoding=packing,
        )

    def shard_name(self, part: Part) -> str:
        """The file of the shard that holds the labels of a part."""
        return self.spec("raw").file_name(shard_of(part.number, self.bits))


class PartSize(NamedTuple):
    """How large a part should be; links are faces or edges."""

    least: int  # links, so that a task is worth its start
    most: int  # links: some minutes of work
    a_request: int  # links of what a part reads of a piece, so that requests do not cost more than work
    row: int  # bytes that a row takes in memory
    least_memory: Callable[[int], int]  # bytes that a part of so many rows needs


def make_plan(layer: Layer, forged: Forged, job_id: str, memory: int, size: PartSize) -> Plan:
    """Decide by the heads of all fragments; the same fragments and the same job give the same."""
    sort = forged.sort
    heads = Heads(sort.links)
    for file in side_by_side(lambda piece: forged.open(layer, piece), forged.grid, layer.lanes):
        heads.add(file)
    sums = heads.largest(0)
    bits = choose_bits(sums, len(forged.grid), memory, sort, size)
    largest = heads.largest(bits)
    if memory < (least := size.least_memory(largest["labels"])):
        raise BadUsage(f"--memory: {say_bytes(memory)} are too little to merge {sort.many}; give it {say_bytes(least)}")
    stamp = stamp_of(job_id, forged, heads.crc)
    folder = find_folder(layer, sort, forged.dir, stamp)
    return Plan(forge=forged.id, stamp=stamp, folder=folder, bits=bits, sums=sums, largest=largest)


def stamp_of(job_id: str, forged: Forged, crc: int) -> str:
    """The mark of what a merge makes of these fragments; `crc` is that of all their heads."""
    return hashlib.sha256(f"{job_id} {forged.id} {crc}".encode()).hexdigest()[:32]


def choose_bits(sums: Counts, pieces: int, memory: int, sort: Sort, size: PartSize) -> int:
    """In how many parts, as a power of two: by links, labels, and the memory that their rows take."""
    links = min(max(size.least, size.a_request * pieces), size.most)
    labels = sums["labels"]
    wanted = max(sums[sort.links] / links, labels / MOST_LABELS, size.row * labels / (memory / ROWS_SHARE))
    bits = 0
    while 1 << bits < wanted and bits < MOST_BITS:
        bits += 1
    return bits


def plan_key(forged: Forged, job_id: str) -> str:
    """Where the plan of a merge lies, within the layer."""
    return f"{forged.folder}/merge-{job_id[:16]}.json"


def write_plan(store: Store, key: str, plan: Plan) -> None:
    """Write a plan down, unless the same stands there already."""
    data = msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n"
    if store.get(key) != data:
        store.put(key, data, content_type="application/json")


def read_plan(store: Store, key: str) -> Plan | None:
    """A plan that was written down; None where there is none."""
    data = store.get(key)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=Plan)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{store.url}/{key} cannot be read: {error}. Remove it and give the command again, with --resume"
        ) from None


def say_plan(layer: Layer, plan: Plan, sort: Sort, *, sharded: bool) -> str:
    """What was decided, as a sentence."""
    what = f"{plan.parts:,} {'shard' if sharded else 'part'}{'s' if plan.bits else ''}"
    bits = f"; minishard_bits {MINISHARD_BITS}, shard_bits {plan.bits}" if sharded else ""
    links = f"{plan.sums[sort.links]:,} {sort.links}"
    return f"{layer.url}/{plan.folder}: {what} of {links} in {plan.sums['labels']:,} fragments of labels{bits}"
