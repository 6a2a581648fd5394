"""Goes through the shards of a folder of objects: their indices, and what lies in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.layers.sharding.read import Found
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.object_folder import SHARD
from teravox.pipeline.verification.object_labels import Sample
from teravox.pipeline.verification.shard_index import Shard, check_shard

if TYPE_CHECKING:
    from teravox.pipeline.objects.shard_folder import ShardFolder
    from teravox.pipeline.verification.look import Look

MOST_ASKED = 4096  # shards for which a web server is asked one by one, since it cannot be listed
CheckOne = Callable[[Found], list[Finding]]


class ShardFile(NamedTuple):
    key: str
    shard: int
    size: int | None  # None where nobody can say it


def check_shards(
    look: Look, shards: ShardFolder, known: Collection[str], check: CheckOne, many: str
) -> Iterator[Finding]:
    """What is wrong with shards, and with those of their objects that are to be looked at; `known` are keys to pass over."""
    sample = None if look.how.sample is None else Sample(look.how.sample, look.how.seed)
    files, findings = list_shards(look, shards)
    yield from findings

    def examine(file: ShardFile) -> tuple[ShardFile, Shard | None]:
        return file, check_shard(look.store, file.key, shards.spec, file.shard, file.size)

    for file, shard in side_by_side(examine, (file for file in files if file.key not in known)):
        look.step(1)
        if shard is None:
            continue
        yield from shard.findings
        look.counts["shards"] += 1
        look.counts[many] += len(shard.entries.numbers)
        if sample is None:
            yield from _check_objects(look, shard.entries.found(file.shard), check, many)
        elif not shard.findings:
            sample.add(shard.entries.numbers)
    if sample is not None:
        yield from _check_objects(look, shards.reader.find(sample.chosen()), check, many)


def _check_objects(look: Look, found: list[Found], check: CheckOne, many: str) -> Iterator[Finding]:
    for findings in side_by_side(check, sorted(found, key=lambda one: (one.shard, one.start))):
        look.counts[f"{many} decoded"] += 1
        yield from findings


def list_shards(look: Look, shards: ShardFolder) -> tuple[list[ShardFile], list[Finding]]:
    """The shards that are there, and what is wrong with those that cannot be read as such."""
    if not look.can_list:
        if shards.spec.shards > MOST_ASKED:
            look.counts[
                f"not checked: {shards.spec.shards:,} shards of {shards.folder}, which a web server cannot list"
            ] = 1
            return [], []
        return [ShardFile(shards.reader.key(shard), shard, None) for shard in range(shards.spec.shards)], []
    files, findings = [], []
    for key, size, how in look.store.list_sizes(f"{shards.folder}/"):
        name = key.removeprefix(f"{shards.folder}/")
        if "/" in name or not name.endswith(SHARD):
            continue
        shard = _number(name.removesuffix(SHARD))
        if shard is None or shard >= shards.spec.shards or shards.spec.file_name(shard) != name:
            why = f"the info of {shards.folder} tells of {shards.spec.shards:,} shards, and none of them has this name"
            findings.append(Finding("unlisted", key, why))
        elif how is not None:
            findings.append(Finding("wrong", key, f"it is stored as {how}, so no part of it can be read"))
        else:
            files.append(ShardFile(key, shard, size))
    return files, findings


def _number(digits: str) -> int | None:
    try:
        return int(digits, 16)
    except ValueError:
        return None
