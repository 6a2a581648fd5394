"""How a forge of skeletons cuts a volume into pieces, and what of it is refused before it begins."""

from __future__ import annotations

from typing import NamedTuple

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.forging.cut import check_layer, check_memory, check_sizes, choose_bounds, choose_shape
from teravox.pipeline.objects.forging.frame import Frame, frame_of
from teravox.pipeline.objects.sort import SKELETON
from teravox.pipeline.skeletons.forging.memory import Needs, fixed_bytes, least_room, most_room


class Wish(NamedTuple):
    """What somebody asked for, as far as pieces depend on it."""

    mip: int
    bounds: Box | None
    shape: Vec | None
    memory: int
    context: int
    needs: Needs


class Plan(NamedTuple):
    """The volume and its pieces."""

    layer: Layer
    wish: Wish
    bounds: Box
    shape: Vec

    @property
    def grid(self) -> Grid:
        return Grid(self.bounds, self.shape)

    def frame(self, piece: Box, context: int | None = None) -> Frame:
        """What a piece reads: itself, the planes that it shares, and the context."""
        return frame_of(piece, self.bounds, context=self.wish.context if context is None else context)

    def own(self, piece: Box) -> Frame:
        """What a piece makes skeletons of."""
        return self.frame(piece, 0)

    def memory(self, piece: Box) -> int:
        """The most that a piece takes: what its skeletons can take at most, or what there is."""
        return min(self.wish.memory, self._fixed(piece) + most_room(self.own(piece).inside.voxels))

    def room(self, piece: Box) -> int:
        """What of a piece's memory is left for its skeletons."""
        return self.memory(piece) - self._fixed(piece)

    def needed(self, piece: Box) -> int:
        """What is to be free for a piece."""
        return self._fixed(piece) + least_room(self.own(piece).inside.voxels)

    def _fixed(self, piece: Box) -> int:
        wish, read = self.wish, self.frame(piece).inside.voxels
        again = self.frame(piece, wish.needs.margin).inside.voxels if wish.needs.margin else 0
        return fixed_bytes(self.layer, wish.mip, self.own(piece).inside.voxels, read, again, wish.needs)


def plan_forge(layer: Layer, wish: Wish) -> Plan:
    """The pieces; BadUsage says what of the wish cannot be."""
    check_layer(layer, wish.mip, SKELETON)
    bounds = choose_bounds(layer, wish.mip, wish.bounds)
    check_sizes(shape=wish.shape)
    plan = Plan(layer, wish, bounds, wish.shape or layer.scale(wish.mip).chunk)
    if wish.shape is None:
        chunk = layer.scale(wish.mip).chunk
        fits = lambda piece: plan.needed(piece) <= wish.memory  # noqa: E731 - it is said where it is used
        plan = plan._replace(shape=choose_shape(bounds, chunk, fits, may_cut=True))
    largest = max((plan.grid[0], plan.grid[len(plan.grid) // 2]), key=plan.needed)
    check_memory(plan.shape, plan.frame(largest).inside.voxels, plan.needed(largest), wish.memory)
    return plan
