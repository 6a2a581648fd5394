"""Does a piece of a forge: from voxels to one object of fragments."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.objects.forging.frame import Frame
from teravox.pipeline.objects.fragments import Packed, join_fragments, pack_fragment
from teravox.pipeline.objects.sort import SKELETON
from teravox.pipeline.skeletons.forging.areas import measure
from teravox.pipeline.skeletons.forging.plan import Plan
from teravox.pipeline.skeletons.forging.reading import Reading, read_piece
from teravox.pipeline.skeletons.forging.tracing import Tracing, trace_numbers
from teravox.pipeline.skeletons.fragments import SKELETONS

if TYPE_CHECKING:
    from teravox.kernels.skeleton.skeleton import Skeleton


class Work(NamedTuple):
    """What is done in each piece."""

    plan: Plan
    reading: Reading
    tracing: Tracing
    window: int  # edges over which the direction of a skeleton is taken, for its areas; 0: without areas


def forge_piece(work: Work, piece: Box) -> bytes:
    """The fragments of a piece; they are an object too where there is none."""
    if work.window:
        skeletons = _trace_and_measure(work, piece)
        packed = [pack_fragment(label, one, SKELETONS) for label, one in skeletons.items()]
    else:
        packed = _trace_and_pack(work, piece)
    return join_fragments(packed, SKELETON)


def _trace_and_pack(work: Work, piece: Box) -> list[Packed]:
    own, frame = work.plan.own(piece).inside, work.plan.frame(piece)
    place = _place(own, frame)
    read, planes = read_piece(work.reading, frame, *place)
    labels = read.labels
    traced = trace_numbers(read, planes, *place, work.tracing, work.plan.room(piece))
    del read
    return [pack_fragment(int(labels[number]), one.moved(own.min), SKELETONS) for number, one in traced]


def _trace_and_measure(work: Work, piece: Box) -> dict[int, Skeleton]:
    plan, step = work.plan, work.reading.step
    own, frame = plan.own(piece).inside, plan.frame(piece)
    place = _place(own, frame)
    read, planes = read_piece(work.reading, frame, *place)
    traced = trace_numbers(read, planes, *place, work.tracing, plan.room(piece))
    skeletons = {int(read.labels[number]): one.moved(own.min) for number, one in traced}
    cut_off = measure(skeletons, None, read, frame.inside, plan.bounds, step, work.window)
    if cut_off and plan.wish.needs.margin > plan.wish.context:
        del read
        frame = plan.frame(piece, plan.wish.needs.margin)
        read, _ = read_piece(work.reading, frame, *_place(own, frame))
        measure(skeletons, cut_off, read, frame.inside, plan.bounds, step, work.window)
    return skeletons


def _place(own: Box, frame: Frame) -> tuple[Vec, Vec]:
    """Where the piece's own part begins in what is read, and its size."""
    x, y, z = (a - b for a, b in zip(own.min, frame.inside.min, strict=True))
    return (x, y, z), own.size
