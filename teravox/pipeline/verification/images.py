"""The mips of a layer: which of its parts look after chunks, and how their objects are sampled."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence

from teravox.pipeline.box import Box
from teravox.pipeline.layers.chunk_grid import chunk_key
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.sort import SORTS
from teravox.pipeline.verification.examining import ABSENT, Answer, DecodeChunk, Question
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.look import Look
from teravox.pipeline.verification.parts import Part


def find_images(look: Look) -> Iterable[Part]:
    """The mips that are asked for, each as chunks or as shards."""
    from teravox.pipeline.verification.chunks import Chunks
    from teravox.pipeline.verification.shards import Shards

    for mip in mips_of(look):
        assert look.layer is not None, "mips_of has none without"
        if look.layer.scale(mip).sharding is None:
            yield Chunks(look, look.layer, mip)
        else:
            yield Shards(look, look.layer, mip)


def mips_of(look: Look) -> Sequence[int]:
    """The mips of the layer that are asked for; BadInput where there is no such mip."""
    if look.layer is None:
        return ()
    if look.how.mips is None:
        return range(len(look.layer.info.scales))
    for mip in look.how.mips:
        look.layer.scale(mip)
    return look.how.mips


def choose(count: int, look: Look, salt: str, *, most: int | None = None) -> Sequence[int]:
    """As many numbers below a count as are to be looked at closely, always the same for the same seed, in order."""
    if look.how.sample is None:
        return range(count)
    wanted = look.how.sample if most is None else min(look.how.sample, most)
    if wanted >= count:
        return range(count)
    return sorted(random.Random(f"{look.how.seed} {salt}").sample(range(count), wanted))  # noqa: S311 - it keeps no secret


def decode_chunks(look: Look, layer: Layer, mip: int, boxes: Iterable[Box]) -> Iterator[tuple[Box, Answer]]:
    """What is wrong with these chunks, ABSENT among it; those that are sound are counted."""
    for question, answer in look.examiners.ask(layer, _questions(mip, boxes)):
        look.step(1)
        if answer == ABSENT:
            yield question.box, answer
            continue
        if answer.note:
            look.counts[f"not checked: {answer.note}"] += 1
            continue
        look.counts["chunks decoded"] += 1
        if answer.what is not None:
            yield question.box, answer


def without_voxels(look: Look, layer: Layer, mip: int) -> Iterator[Finding]:
    """What to say of a mip in which nothing lies and nobody is known to have written: one thing, and of a layer of objects none."""
    objects = {sort.one for sort in SORTS}
    if any(not objects.isdisjoint(job.record.kind.split()) for job in look.makers.jobs):
        look.counts["mips without voxels, in a layer for meshes or skeletons"] += 1
    elif look.how.fill_missing:
        look.counts["mips without voxels, which count as background"] += 1
    else:
        key = layer.scale(mip).key
        yield Finding("missing", key, f"mip {mip} has no voxels at all, and no task is known to have written any")


def is_written(look: Look, layer: Layer, mip: int) -> bool:
    """Whether any task is known to have written to a mip, or to have removed something of it."""
    return any(layer.scale(mip).key in job.folders for job in look.makers.jobs)


def say_damage(layer: Layer, mip: int, box: Box, answer: Answer) -> Finding:
    """The finding about a chunk in a file of its own."""
    return Finding(answer.what or "missing", chunk_key(layer.scale(mip), box), answer.why or answer.note)


def _questions(mip: int, boxes: Iterable[Box]) -> Iterator[Question]:
    return (DecodeChunk(mip, box) for box in boxes)
