"""How fragments are merged: into which folder, and in how many parts; written beside them for those who do it."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.sharding.spec import ShardSpec
from teravox.pipeline.meshes.forged import Forged
from teravox.pipeline.meshes.fragments import FragmentFile
from teravox.pipeline.meshes.merging.memory import ROW, least_memory, most_memory
from teravox.pipeline.meshes.merging.part import Format, Part
from teravox.pipeline.meshes.order import MINISHARD_BITS, shard_of
from teravox.pipeline.meshes.result_folder import find_folder
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.store import Store

LEAST_FACES = 1 << 20  # of a part, so that a task is worth its start
MOST_FACES = 1 << 26  # of a part: some minutes of work
FACES_A_REQUEST = 4096  # of what a part reads of a piece, so that requests do not cost more than work
MOST_LABELS = 1 << 16  # of a part: then the index of a minishard tells of a thousand
MOST_BITS = 20
MOST_SUMMED = 12  # bits of the parts whose sums are known one by one
COUNTS = ("labels", "vertices", "faces")
ROWS_SHARE = 8  # of the memory of a task, the part that rows may take


class Sums(msgspec.Struct, frozen=True):
    """How much there is: a label that lies in several pieces is counted in each."""

    labels: int
    vertices: int
    faces: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What `prepare` decided. Parts are equal in size but for chance, and for large labels."""

    forge: str  # its id
    stamp: str  # of the job and of what it merges: the mark of the folder
    folder: str  # of the new meshes, within the layer
    bits: int  # there are 2^bits parts
    sums: Sums  # of all pieces
    largest: Sums  # what no part has more of

    @property
    def parts(self) -> int:
        return 1 << self.bits

    @property
    def spec(self) -> ShardSpec:
        """How the labels are sharded: a shard for each part."""
        return ShardSpec(
            preshift_bits=0,
            hash="murmurhash3_x86_128",
            minishard_bits=MINISHARD_BITS,
            shard_bits=self.bits,
            minishard_index_encoding="gzip",
            data_encoding="raw",
        )

    def shard_name(self, part: Part) -> str:
        """The file of the shard that holds the labels of a part."""
        return self.spec.file_name(shard_of(part.number, self.bits))

    def memory(self, limit: int) -> int:
        """What merging a part may take: all that it reads at once, if that is less than the limit."""
        return min(limit, most_memory(self.largest.labels, self.largest.vertices, self.largest.faces))


class Heads:
    """What the heads of all fragments say together."""

    def __init__(self) -> None:
        import numpy as np

        self.crc = 0  # tells apart what was forged twice
        self._most = [np.zeros((len(COUNTS), 1 << bits), np.int64) for bits in range(MOST_SUMMED + 1)]

    def add(self, file: FragmentFile) -> None:
        """Add a piece; pieces come in any order."""
        import numpy as np

        self.crc ^= zlib.crc32(file.table, zlib.crc32(file.key.encode()))
        for bits, most in enumerate(self._most):
            sums = file.sums(min(bits, file.bits))
            rows = np.array([sums[name] for name in COUNTS], np.int64)
            most += rows.repeat(most.shape[1] // rows.shape[1], axis=1)  # a bucket may lie in any part of it

    def largest(self, bits: int) -> Sums:
        """What none of 2^bits parts has more of: with 0 bits, all."""
        labels, vertices, faces = self._most[min(bits, MOST_SUMMED)].max(axis=1).tolist()
        return Sums(labels, vertices, faces)


def make_plan(layer: Layer, forged: Forged, job_id: str, dir: str, memory: int) -> Plan:
    """Decide by the heads of all fragments; the same fragments and the same job give the same."""
    heads = Heads()
    for file in side_by_side(lambda piece: forged.open(layer, piece), forged.grid, layer.lanes):
        heads.add(file)
    sums = heads.largest(0)
    bits = choose_bits(sums, len(forged.grid), memory)
    largest = heads.largest(bits)
    if memory < (least := least_memory(largest.labels)):
        raise BadUsage(f"--memory: {say_bytes(memory)} are too little to merge meshes; give it {say_bytes(least)}")
    stamp = hashlib.sha256(f"{job_id} {forged.id} {heads.crc}".encode()).hexdigest()[:32]
    folder = find_folder(layer, dir, stamp)
    return Plan(forge=forged.id, stamp=stamp, folder=folder, bits=bits, sums=sums, largest=largest)


def choose_bits(sums: Sums, pieces: int, memory: int) -> int:
    """In how many parts, as a power of two: by faces, labels, and the memory that their rows take."""
    faces = min(max(LEAST_FACES, FACES_A_REQUEST * pieces), MOST_FACES)
    wanted = max(sums.faces / faces, sums.labels / MOST_LABELS, ROW * sums.labels / (memory / ROWS_SHARE))
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


def say_plan(layer: Layer, plan: Plan, format: Format) -> str:
    """What was decided, as a sentence."""
    what = f"{plan.parts:,} {'shard' if format == 'sharded' else 'part'}{'s' if plan.bits else ''}"
    bits = f"; minishard_bits {MINISHARD_BITS}, shard_bits {plan.bits}" if format == "sharded" else ""
    return f"{layer.url}/{plan.folder}: {what} of {plan.sums.faces:,} faces in {plan.sums.labels:,} fragments of labels{bits}"
