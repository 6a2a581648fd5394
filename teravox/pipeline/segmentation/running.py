"""Does the steps of a block: reads, calls them, holds what they return to the contract, and keeps what is to be kept."""

from __future__ import annotations

import contextlib
import faulthandler
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, TeravoxError
from teravox.pipeline.last_words import saying
from teravox.pipeline.layers.layer import within
from teravox.pipeline.segmentation import kept
from teravox.pipeline.segmentation.block_files import Preserved
from teravox.pipeline.segmentation.blocks import grow
from teravox.pipeline.segmentation.layer_input import channels_of
from teravox.pipeline.segmentation.plan import Plan
from teravox.pipeline.segmentation.preserving import Bodies
from teravox.pipeline.segmentation.region import Region
from teravox.pipeline.segmentation.step_functions import BoundStep, Place
from teravox.pipeline.units import say_seconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of whatever a step takes
    Mask = NDArray[np.bool_] | None  # z, y, x; None where all voxels belong to it
    Prediction = NDArray[np.float32]  # z, y, x, channel
    Labels = NDArray[np.uint32]  # z, y, x


A = TypeVar("A")
MOST_TEXT = 600  # letters of what an error in a step says


class Block(msgspec.Struct, frozen=True):
    """A block, and what surrounds it."""

    plan: Plan
    index: int
    core: Box
    read: Box  # with its halo

    @property
    def wide(self) -> Box:
        """What the first step is given: as much more as it looks around."""
        margin = self.plan.chain.predict.margin(self.plan.zyx)
        given = self.plan.input
        return grow(self.read, margin).intersect(given.layer.bounds(given.mip))


class Segments(NamedTuple):
    """What came of a block."""

    labels: Labels  # numbered without gaps, in its read box
    preserved: Preserved


def segment_block(block: Block, region: Region, bodies: Bodies | None) -> Segments:
    """The labels of a block."""
    plan = block.plan
    assert plan.chain.supervoxels is not None  # a job that makes labels has it
    mask = _mask(region, block.read)
    places = None if bodies is None else bodies.find(block.read).T
    free = mask if places is None else ((places == 0) if mask is None else mask & (places == 0))
    is_cut = kept.is_kept(plan, kept.SUPERVOXELS, block.index)
    prediction = None if is_cut and not plan.chain.agglomerate else predict_block(block, region, mask)
    if is_cut:
        supervoxels = kept.read_supervoxels(plan, block.index, block.read)
    else:
        assert prediction is not None  # it is left out only where supervoxels are kept
        supervoxels = _make_supervoxels(block, prediction, free)
    del free
    labels = supervoxels
    for step in plan.chain.agglomerate:
        labels = _agglomerate(block, step, prediction, labels)
    del prediction, supervoxels
    return _number(labels, places, mask, bodies)


def _make_supervoxels(block: Block, prediction: Prediction, free: Mask) -> Labels:
    """The small pieces that a block is cut into."""
    import numpy as np

    from teravox.kernels.segmentation.results import fault_in_supervoxels

    plan, step = block.plan, block.plan.chain.supervoxels
    assert step is not None  # a job that makes labels has it
    found = _call(block, step, prediction, _closed(free), block.read)
    _refuse(block, step, fault_in_supervoxels(found, prediction.shape[:3], free))
    supervoxels: Labels = np.ascontiguousarray(found)
    if plan.job.keep == "supervoxels":
        kept.keep_supervoxels(plan, block.index, supervoxels)
    return supervoxels


def predict_block(block: Block, region: Region, mask: Mask) -> Prediction:
    """The prediction of a block in its read box, read again where it was kept; read-only."""
    import numpy as np

    from teravox.kernels.segmentation.results import fault_in_prediction

    plan, step = block.plan, block.plan.chain.predict
    if kept.is_kept(plan, kept.PREDICTIONS, block.index):
        found: Prediction = _closed(kept.read_prediction(plan, block.index))
        return found
    wide = block.wide
    given = plan.input.read(wide)
    around = mask if wide == block.read else _mask(region, wide)
    made = _call(block, step, given, _closed(around), wide)
    channels = channels_of(step, plan.input, plan.zyx)
    _refuse(block, step, fault_in_prediction(made, given.shape[:3], channels))
    del given, around
    x, y, z = within(block.read, wide)
    found = np.ascontiguousarray(made[z, y, x])
    if plan.job.keep != "nothing":
        kept.keep_prediction(plan, block.index, found)
    return _closed(found)


def _agglomerate(block: Block, step: BoundStep, prediction: Prediction | None, supervoxels: Labels) -> Labels:
    import numpy as np

    from teravox.kernels.segmentation.results import fault_in_bodies

    found = _call(block, step, prediction, _closed(supervoxels), block.read)
    _refuse(block, step, fault_in_bodies(found, supervoxels))
    bodies: Labels = np.ascontiguousarray(found)
    return bodies


def _number(labels: Labels, places: Labels | None, mask: Mask, bodies: Bodies | None) -> Segments:
    """Labels without gaps, with the bodies that are preserved above the others."""
    import numpy as np

    from teravox.kernels.segmentation.results import paint_places, renumber

    labels, number = renumber(labels)
    if places is None or bodies is None:
        return Segments(labels, Preserved(np.empty(0, np.uint32), np.empty(0, np.uint64)))
    if mask is not None:
        places = places * mask
    labels = labels if labels.flags.writeable else labels.copy()
    there = paint_places(labels, number, places)
    locals = np.arange(number + 1, number + 1 + len(there), dtype=np.uint32)
    return Segments(labels, Preserved(locals, bodies.ids[there - 1]))


def _call(block: Block, step: BoundStep, first: Array | None, second: Array | None, box: Box) -> Any:
    """What a step returns, whatever that is."""
    x, y, z = box.min
    inside = block.read.shift((-x, -y, -z))
    spans = [(a, b) for a, b in zip(reversed(inside.min), reversed(inside.max), strict=True)]
    place = Place(block.plan.zyx, (z, y, x), (spans[0], spans[1], spans[2]))
    try:
        with _watched(block, step):
            return step.call(first, second, place)
    except (TeravoxError, MemoryError):
        raise
    except ValueError as error:
        raise BadInput(f"{step} refuses the block {block.core}: {error}") from error
    except Exception as error:
        raise TeravoxError(f"{step} failed at the block {block.core}: {_say(error)}") from error


def _say(error: Exception) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text if len(text) < MOST_TEXT else text[:MOST_TEXT] + '…'}"


@contextlib.contextmanager
def _watched(block: Block, step: BoundStep) -> Iterator[None]:
    """End the process when the step takes longer than it may, also one that is stuck in a library and heeds nothing.

    A thread of the interpreter's own does it, which needs nothing of Python. The supervisor of a worker finds the child
    dead, with these last words, and counts an attempt.
    """
    seconds = block.plan.job.plugin_timeout
    if seconds is None:
        yield
        return
    words = (
        f"{step} at the block {block.core}, which may take {say_seconds(seconds)} (--plugin-timeout). If that was over, "
        "the lines of the log say where it hung; give it more time, smaller blocks, or repair the step"
    )
    with saying(words):
        faulthandler.dump_traceback_later(seconds, exit=True, file=2)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def _refuse(block: Block, step: BoundStep, fault: str) -> None:
    if fault:
        raise BadInput(f"{step} broke its contract at the block {block.core}: it returned {fault}")


def _mask(region: Region, box: Box) -> Mask:
    mask = region.mask(box)
    return None if mask is None else mask.T


def _closed(array: A) -> A:
    """A view that no step can write to."""
    if array is None:
        return array
    view = cast("Any", array).view()  # an array, whatever it holds
    view.flags.writeable = False
    return cast("A", view)
