"""Finds the surfaces of numbered voxels and simplifies them side by side, within the memory that there is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.meshes.forging.finishing import Finishing, Span
from teravox.pipeline.meshes.forging.giant import Giant
from teravox.pipeline.meshes.forging.memory import FACES, LABEL, MARCHED
from teravox.pipeline.meshes.fragments import SURFACES
from teravox.pipeline.objects.forging.labels import Numbered
from teravox.pipeline.objects.fragments import Packed, pack_fragment
from teravox.pipeline.storage.side_by_side import LOCAL_LANES, side_by_side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]
    Numbers = NDArray[np.intp]


def cut_fragments(numbered: Numbered, finishing: Finishing, room: int) -> list[Packed]:
    """The surface of each wanted number, packed; it takes at most so many bytes, or TooLittleMemory is raised."""
    import numpy as np

    from teravox.kernels.mesh.numbering import count_crossings

    if min(numbered.voxels.shape) < 2:  # no surface between the centers of voxels
        return []
    crossings = count_crossings(numbered.voxels, len(numbered.labels))
    faces = np.ceil(crossings * FACES).astype(np.int64)
    left = np.flatnonzero(numbered.wanted & (faces > 0))
    packed: list[Packed] = []
    while len(left):
        group = _choose_group(left, faces, room - sum(LABEL + len(one.data) for one in packed), finishing.work)
        if group.is_giant:
            packed.append(_finish_giant(numbered, group, finishing))
        else:
            packed += _finish_all(numbered, group, crossings, faces, finishing)
        left = left[len(group.numbers) :]
    return packed


class _Group(NamedTuple):
    """Numbers that are marched together, or one that is too large and is marched in parts."""

    numbers: Numbers
    most: int  # faces that may be worked on at once
    is_giant: bool


def _choose_group(left: Numbers, faces: Counts, room: int, work: int) -> _Group:
    """As many as fit: half of the room, or more for the largest of them, is for work, and the rest for what waits for it."""
    import numpy as np

    wanted = faces[left]
    at_work = max(0, min(max(room // 2, work * int(wanted.max())), room * 7 // 8))
    most = at_work // work
    giants = np.flatnonzero(wanted > most)
    if len(giants) and giants[0] == 0:
        return _Group(left[:1], most, is_giant=True)
    waiting = np.cumsum(wanted * MARCHED + LABEL)
    stop = max(1, int(np.searchsorted(waiting, room - at_work, "right")))
    return _Group(left[: min([stop, *giants[:1].tolist()])], most, is_giant=False)


class _Gate:
    """Lets surfaces in as long as they have together no more faces than fit; a single one always gets in."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside = 0
        self._changed = threading.Condition()

    def enter(self, faces: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._inside == 0 or self._inside + faces <= self._most)
            self._inside += faces

    def leave(self, faces: int) -> None:
        with self._changed:
            self._inside -= faces
            self._changed.notify_all()


def _finish_all(
    numbered: Numbered, group: _Group, crossings: Counts, faces: Counts, finishing: Finishing
) -> Iterator[Packed]:
    """The surfaces of a group, finished in any order; each is taken out of the march when there is room to work on it."""
    from teravox.kernels.mesh.cubes import march_numbers

    gate = _Gate(group.most)
    x, y, z = numbered.voxels.shape
    span = Span((0, 0, 0), (x - 1, y - 1, z - 1))
    marched = march_numbers(numbered.voxels, crossings, group.numbers)

    def admitted() -> Iterator[int]:
        for number in group.numbers.tolist():
            gate.enter(int(faces[number]))
            yield number

    def finish(number: int) -> Packed:
        try:
            surface = finishing.simplify(marched.surface(number), span)
            return pack_fragment(int(numbered.labels[number]), finishing.place(surface), SURFACES)
        finally:
            gate.leave(int(faces[number]))

    return side_by_side(finish, admitted(), LOCAL_LANES)


def _finish_giant(numbered: Numbered, group: _Group, finishing: Finishing) -> Packed:
    number = int(group.numbers[0])
    surface = Giant(numbered.voxels, number, numbered.spare, finishing, group.most).surface()
    return pack_fragment(int(numbered.labels[number]), finishing.place(surface), SURFACES)
