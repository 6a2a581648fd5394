"""`teravox image ccl resolve`: which components of boxes are one in the whole volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.components.declaration import Joining
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.options import says
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.pipeline.components.groups import Groups
    from teravox.pipeline.components.hierarchy import Step
    from teravox.pipeline.planning.traffic import Traffic


class Resolve(Joining[Box], frozen=True):
    """Find which components of boxes are one: third stage of four.

    It takes the options of `teravox image ccl links`, which must be done. A task joins a group of boxes, and passes on
    only what touches the faces of the group. Where there are more boxes than one group has, it takes several steps: up
    to the group that is the whole, and down again. Run it with --step 1, then --step 2, and so on, until it says that
    no step follows.
    """

    step: Annotated[int, Meta(ge=1), says("Which step to do; those before must be done.")] = 1

    @property
    def steps(self) -> int:
        """How many steps there are for this volume."""
        groups, _ = self._groups()
        return len(groups.hierarchy.steps())

    def prepare(self) -> None:
        groups, step = self._groups(fresh=True)
        groups.require_parts(step)
        most = max(map(self.memory, self.pieces()))
        if most > self.memory_limit:
            raise BadUsage(
                f"--group: a task that joins {self.group} needs up to {say_bytes(most)}, and --memory allows "
                f"{say_bytes(self.memory_limit)}: take smaller groups, or more --memory"
            )

    def pieces(self) -> Sequence[Box]:
        groups, step = self._groups()
        return groups.hierarchy.grids[step.level]

    def memory(self, piece: Box) -> int:

        groups, step = self._groups()
        return LIBRARIES + groups.memory(step, groups.hierarchy.index(step.level, piece))

    def run(self, piece: Box) -> None:
        groups, step = self._groups()
        groups.run(step, groups.hierarchy.index(step.level, piece))

    def traffic(self, piece: Box) -> Traffic:
        from teravox.pipeline.planning.traffic import Bytes, Objects, Traffic, info_of

        groups, step = self._groups()
        index = groups.hierarchy.index(step.level, piece)
        own = Bytes(0, int(step.does == "join and hand down"))  # what it has joined is read again
        return Traffic(
            [info_of(self.source), Objects(self.dest, groups.inputs(step, index)), own],
            [Objects(self.dest, groups.outputs(step, index))],
            kept=False,
        )

    def outputs(self, piece: Box) -> Sequence[str]:
        groups, step = self._groups()
        return groups.outputs(step, groups.hierarchy.index(step.level, piece))

    def report(self) -> str:
        if self.step < self.steps:
            return f"This was step {self.step} of {self.steps}; go on with --step {self.step + 1}."
        groups, _ = self._groups()
        return f"There are {groups.total():,} components. Write them with: teravox image ccl relabel"

    def _groups(self, *, fresh: bool = False) -> tuple[Groups, Step]:
        from teravox.pipeline.components.groups import make_groups
        from teravox.pipeline.components.plan import make_plan

        groups = make_groups(self, make_plan(self, fresh=fresh))
        steps = groups.hierarchy.steps()
        if self.step > len(steps):
            raise BadUsage(f"--step: {len(steps)} are enough for this volume, got {self.step}")
        return groups, steps[self.step - 1]
