"""A step of resolving: reads what the parts of a group pass on, joins it, and hands the final labels down to them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.bundle import pack_bundle, read_bundle, read_head
from teravox.pipeline.components.hierarchy import Hierarchy, Step
from teravox.pipeline.components.plan import Plan, check_group
from teravox.pipeline.components.stage_files import CCL, file_key, remedy, require_stage
from teravox.pipeline.errors import BadInput
from teravox.pipeline.storage.side_by_side import side_by_side
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.joining import Open
    from teravox.pipeline.components.declaration import Joining

LINKS = "links"  # what the stage of boxes leaves
PER_NAME, PER_CLASS, PER_CONTACT = 60, 60, 110  # bytes that joining takes for each, what is read and written included


class Given(msgspec.Struct, frozen=True):
    """What a group or a box is told of the final labels."""

    before: int  # labels that come before those that end in it
    labels: NDArray[np.uint64]  # of its classes that go on beyond it
    firsts: NDArray[np.uint64] | None = None  # of the same: the smallest names of their members, if boxes said theirs


class Groups(msgspec.Struct, frozen=True):
    """The files of a labelling's groups; groups of one level may be done side by side."""

    store: Store
    folder: str  # of the boxes' files
    joined: str  # of the groups'
    hierarchy: Hierarchy
    dust: int
    boxes: Collection[int]  # the numbers of those that there are; others of the grid hold nothing
    of: str = CCL  # the words before the names of the stages
    maker: str = "links"  # the stage that leaves the files of boxes

    def outputs(self, step: Step, index: int) -> list[str]:
        """The keys that a step leaves for a group."""
        keys = [self._joined_key(step.level, index)] if step.does != "hand down" else []
        if step.does != "join":
            keys += [self._given_key(step.level - 1, part) for part in self._parts(step.level, index)]
        return keys

    def inputs(self, step: Step, index: int) -> list[str]:
        """The keys that a step reads for a group, without what it has just written."""
        if step.does == "hand down":
            return [self._given_key(step.level, index), self._joined_key(step.level, index)]
        return [self._part_key(step.level - 1, part) for part in self._parts(step.level, index)]

    def given_key(self, box: int) -> str:
        """Where a box is told its final labels."""
        return self._given_key(0, box)

    def inputs_of(self, box: int) -> list[str]:
        """What tells a box of its final labels: those that it passed on, and what became of them."""
        return [self._part_key(0, box), self._given_key(0, box)]

    def run(self, step: Step, index: int) -> None:
        if step.does != "hand down":
            self._join(step.level, index)
        if step.does != "join":
            self._hand_down(step.level, index)

    def total(self) -> int:
        """How many labels there are in the whole; known when the group at the top is joined."""
        return read_head(self.store, self._joined_key(self.hierarchy.top, 0), self._remedy(1)).numbers["labels"]

    def given(self, level: int, index: int) -> Given:
        """What a group or a box is told; the one at the top needs nothing."""
        import numpy as np

        if level == self.hierarchy.top:
            return Given(0, np.empty(0, np.uint64), np.empty(0, np.uint64))
        bundle = read_bundle(self.store, self._given_key(level, index), self._remedy(1))
        firsts = bundle.get("firsts") if "firsts" in bundle else None
        return Given(bundle.numbers["before"], bundle.get("labels"), firsts)

    def require_parts(self, step: Step) -> None:
        """Raise BadUsage unless all is there that a step reads."""
        level = step.level if step.does == "hand down" else step.level - 1
        stage = f"given-{level}" if step.does == "hand down" else f"joined-{level}"
        if level == 0:
            self.require_boxes()
        else:
            require_stage(self.store, self.joined, stage, len(self.hierarchy.grids[level]), "resolve", self.of)

    def require_boxes(self) -> None:
        """Raise BadUsage unless all boxes have left what they pass on."""
        require_stage(self.store, self.folder, LINKS, len(self.boxes), self.maker, self.of)

    def require_given(self) -> None:
        """Raise BadUsage unless all boxes are told their final labels."""
        require_stage(self.store, self.joined, "given-0", len(self.boxes), "resolve", self.of)

    def memory(self, step: Step, index: int) -> int:
        """The bytes that a step needs for a group, by what its parts have left."""
        if step.does == "hand down":
            head = read_head(self.store, self._joined_key(step.level, index), self._remedy(1))
            return 40 * head.length("fate") + 32 * head.length("sizes") + sum(entry.stored for entry in head.arrays)
        keys = [self._part_key(step.level - 1, part) for part in self._parts(step.level, index)]
        needed = 0
        for head in side_by_side(lambda key: read_head(self.store, key, self._remedy(step.level - 1)), keys):
            needed += PER_NAME * head.length("names") + PER_CONTACT * head.length("near")
            needed += PER_CLASS * head.length("sizes") + sum(entry.stored for entry in head.arrays)
            needed += 8 * head.length("ended") + 40 * head.length("firsts")
        return needed

    def _join(self, level: int, index: int) -> None:
        import numpy as np

        from teravox.kernels.joining import concatenate, join, nothing

        parts: list[Open] = []
        within: list[int] = []  # labels that end in each part
        for part in self._parts(level, index):
            open, labels = self._read_part(level - 1, part)
            parts.append(open)
            within.append(labels)
        low, high = self.hierarchy.boxes(level, index)
        try:
            joined = join(concatenate(parts or [nothing()]), self.hierarchy.grids[0].cells, low, high, self.dust)
        except ValueError as error:
            raise BadInput(
                f"the {LINKS} in {self.store.url}/{self.folder} do not fit each other: {error}. "
                "Remove this folder, and label anew"
            ) from None
        arrays = {
            **_columns(joined.open),
            "fate": joined.fate,
            "within": np.array(within, np.int64),
            "counts": np.array([len(part.sizes) for part in parts], np.int64),
        }
        if joined.firsts is not None:
            arrays["ended"] = joined.firsts
        numbers = {"ended": joined.labels, "labels": joined.labels + sum(within)}
        self.store.put(self._joined_key(level, index), pack_bundle(numbers, arrays))

    def _hand_down(self, level: int, index: int) -> None:
        import numpy as np

        from teravox.kernels.joining import hand_down, hand_down_names

        given = self.given(level, index)
        own = read_bundle(self.store, self._joined_key(level, index), self._remedy(1))
        counts = own.get("counts")
        stops = np.cumsum(counts)
        labels = {"labels": hand_down(own.get("fate"), given.before, given.labels)}
        if "ended" in own and given.firsts is not None:
            labels["firsts"] = hand_down_names(own.get("fate"), own.get("ended"), given.firsts)
        parts = self._parts(level, index)
        before = given.before + own.numbers["ended"] + np.cumsum([0, *own.get("within")])

        def give(place: int) -> tuple[str, bytes]:
            mine = slice(stops[place] - counts[place], stops[place])
            key = self._given_key(level - 1, parts[place])
            return key, pack_bundle({"before": int(before[place])}, {name: all[mine] for name, all in labels.items()})

        self.store.put_many(give(place) for place in range(len(parts)))

    def _read_part(self, level: int, index: int) -> tuple[Open, int]:
        """What a part passes on, and how many labels end in it."""
        from teravox.kernels.joining import Open

        bundle = read_bundle(self.store, self._part_key(level, index), self._remedy(level))
        open = Open(**{name: bundle.get(name) for name in Open._fields if name in bundle})
        if level == 0:
            return open, int((bundle.get("ended") >= self.dust).sum())
        return open, bundle.numbers["labels"]

    def _part_key(self, level: int, index: int) -> str:
        return file_key(self.folder, LINKS, index) if level == 0 else self._joined_key(level, index)

    def _joined_key(self, level: int, index: int) -> str:
        return file_key(self.joined, f"joined-{level}", index)

    def _given_key(self, level: int, index: int) -> str:
        return file_key(self.joined, f"given-{level}", index)

    def _parts(self, level: int, index: int) -> list[int]:
        parts = self.hierarchy.parts(level, index)
        return parts if level > 1 else [part for part in parts if part in self.boxes]

    def _remedy(self, level: int) -> str:
        return remedy(self.maker if level == 0 else "resolve", self.of)


def make_groups(job: Joining[Any], plan: Plan) -> Groups:
    """The groups of a labelling, as its options say; BadUsage if they cannot come to hold all boxes."""
    check_group(job.group, plan.grid.cells)
    return Groups(plan.store, job.folder, job.joined, Hierarchy(plan.grid, job.group), job.least, range(len(plan.grid)))


def pack_links(open: Open, ended: NDArray[np.uint32]) -> bytes:
    """What a box passes on, and the sizes of its components that end in it."""
    return pack_bundle({}, {**_columns(open), "ended": ended})


def _columns(open: Open) -> dict[str, NDArray[Any]]:
    return {name: column for name, column in open._asdict().items() if column is not None}
