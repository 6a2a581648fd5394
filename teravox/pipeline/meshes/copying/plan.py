"""Where a copy of meshes lies, in which form, and which labels each of its pieces has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.sharding.spec import ShardSpec
from teravox.pipeline.meshes.copying.labels_file import LabelsFile, hashed
from teravox.pipeline.meshes.copying.part import Part
from teravox.pipeline.meshes.copying.wish import Wish
from teravox.pipeline.meshes.mesh_info import Form, mesh_folder, read_mesh_info, spec_of
from teravox.pipeline.meshes.mesh_source import MeshSource
from teravox.pipeline.meshes.multires_source import ShardedSource
from teravox.pipeline.meshes.reading import open_meshes
from teravox.pipeline.meshes.result_folder import MARK, find_folder, stem_of
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.pipeline.store import Store

LEAST = 100_000_000  # bytes of room for meshes


class Parts(Sequence[Part]):
    """Parts by their numbers, which need not be written down one by one."""

    def __init__(self, shards: Sequence[int]) -> None:
        self._shards = shards

    def __len__(self) -> int:
        return len(self._shards)

    @overload
    def __getitem__(self, index: int) -> Part: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Part]: ...
    def __getitem__(self, index: int | slice) -> Part | Sequence[Part]:
        if isinstance(index, slice):
            return [Part(shard) for shard in self._shards[index]]
        return Part(self._shards[index])


class Plan:
    """A copy of meshes; `spread` says which labels lie together in a piece, and in the copy's shards if it has any."""

    def __init__(self, wish: Wish, source: MeshSource, form: Form, dest: Store, folder: str, spread: ShardSpec) -> None:
        self.wish = wish
        self.source = source
        self.form = form
        self.dest = dest
        self.folder = folder
        self.spread = spread
        self.room = wish.memory - LIBRARIES

    @property
    def pieces(self) -> Sequence[Part]:
        if not self.wish.labels:
            return Parts(range(self.spread.shards))
        return Parts(sorted(set(_shards(self.spread, self.wish.labels))))

    @property
    def copies_shards(self) -> bool:
        """Whether the shards of the copy are those of the source, byte by byte."""
        return isinstance(self.source, ShardedSource) and self.form == "sharded" and not self.wish.labels

    @property
    def transfer_folder(self) -> str:
        """Where that lies which only the tasks need."""
        return f"{self.folder}.transfer"

    @property
    def labels_key(self) -> str:
        """Where the labels are written that are to be copied."""
        return f"{self.transfer_folder}/labels"

    def shard_key(self, part: Part) -> str:
        return f"{self.folder}/{self.spread.file_name(part.shard)}"

    def labels(self, part: Part) -> Sequence[int]:
        """The labels of a piece, in ascending order."""
        if self.wish.labels:
            shards = _shards(self.spread, self.wish.labels)
            return sorted({label for label, at in zip(self.wish.labels, shards, strict=True) if at == part.shard})
        if isinstance(self.source, ShardedSource):
            return sorted(found.number for found in self.source.reader.all_in(part.shard))
        file = LabelsFile.open(self.dest, self.labels_key)
        if file is not None:
            return file.labels(part.shard)
        if mesh_folder(Layer.open(self.dest.url, fresh=True)) == self.folder:
            return []  # the job is finished, and this task was done before
        raise BadInput(f"{self.dest.url}/{self.labels_key} is missing: give the command again, which writes it")


def plan_copy(wish: Wish, *, fresh: bool = False) -> Plan:
    """Look at source and destination; nothing is written."""
    from teravox.pipeline.layers.same_place import refuse_same

    refuse_same(wish.source, wish.dest)
    if wish.memory < LIBRARIES + LEAST:
        raise BadUsage(
            f"--memory: {say_bytes(wish.memory)} are too little for meshes; give it {say_bytes(LIBRARIES + LEAST)} or more"
        )
    layer = Layer.open(wish.source, fresh=fresh)
    source = open_meshes(layer)
    form: Form = source.info.form if wish.form == "auto" else wish.form
    dest = open_store(wish.dest)
    dir = wish.dir or stem_of(source.folder)
    folder = dir if dest.get("info") is None else find_folder(Layer.open(wish.dest, fresh=fresh), dir, wish.job_id)
    spread = source.spec if isinstance(source, ShardedSource) else _spread(wish, source, form, dest, folder)
    return Plan(wish, source, form, dest, folder, spread)


def _spread(wish: Wish, source: MeshSource, form: Form, dest: Store, folder: str) -> ShardSpec:
    """As the info of the copy says, once that is written."""
    info, raw = read_mesh_info(dest, folder)
    mark = raw.get(MARK)
    if isinstance(mark, dict) and mark.get("job") == wish.job_id:
        return spec_of(info, f"{dest.url}/{folder}") if info.form == "sharded" else hashed(int(mark["bits"]))
    from teravox.pipeline.meshes.copying.choose import choose_bits

    labels = list(wish.labels) or list(source.labels())
    return hashed(choose_bits(source, labels, form))


def _shards(spread: ShardSpec, labels: Sequence[int]) -> list[int]:
    import numpy as np

    shards, _ = spread.places(np.array(labels, np.uint64))
    return list(map(int, shards))
