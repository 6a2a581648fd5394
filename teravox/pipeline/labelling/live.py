"""Live update: after each stroke a classifier learns anew and predicts what the page shows."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.errors import BadUsage, TeravoxError
from teravox.pipeline.labelling.bounded import Bounded
from teravox.pipeline.labelling.news import News
from teravox.pipeline.labelling.painting import Painting
from teravox.pipeline.labelling.planes import Tile
from teravox.pipeline.labelling.sight import Lessons, Sight
from teravox.pipeline.learning.wish import Wish, require_training

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.learning.forest import Forest

    Bytes = NDArray[np.uint8]
    Array = NDArray[Any]

DEBOUNCE = 0.25  # seconds without a stroke until one counts as the last
PATIENCE = 3.0  # seconds for features of older labels, before there is something to see
PREDICTIONS = 64 << 20  # bytes of predicted tiles that are kept
AT_ONCE = 64  # tiles of which predictions may be wanted


class Learned(NamedTuple):
    """A forest, and what it was made of."""

    version: int
    forest: Forest
    classes: tuple[int, ...]  # the labels that its outputs stand for
    samples: int  # voxels or supervoxels


class Live:
    """One thread that does what is wanted most: learn what was painted last, then predict what is seen now.

    Newer wishes replace older ones between any two tiles.
    """

    def __init__(self, sight: Sight, lessons: Lessons, painting: Painting, news: News, wish: Wish) -> None:
        self.learned: Learned | None = None
        self._sight = sight
        self._lessons = lessons
        self._painting = painting
        self._news = news
        self._wish = wish
        self._predicted: Bounded[Tile] = Bounded(PREDICTIONS)
        self._version_of: dict[Tile, int] = {}
        self._failed: set[Tile] = set()  # by the forest of now
        self._wanted: tuple[Tile, ...] = ()
        self._is_on = False
        self._is_warm = False
        self._versions = 0  # of forests
        self._trained_at = -1  # the version of the labels that was learnt from
        self._failed_at = -1  # the version that could not be
        self._last_stroke = 0.0
        self._errands: list[Callable[[], None]] = []
        self._ended = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="live-update", daemon=True)
        self._thread.start()

    def want(self, tiles: Sequence[Tile], *, is_on: bool) -> None:
        """Say what is seen now, the most wanted first; without `is_on` nothing is computed."""
        with self._condition:
            self._wanted, self._is_on = tuple(tiles[:AT_ONCE]), is_on
            self._condition.notify()

    def painted(self) -> None:
        """Say that labels have changed."""
        with self._condition:
            self._last_stroke = time.monotonic()
            self._condition.notify()

    def run(self, errand: Callable[[], None]) -> None:
        """Have something else done by the thread that learns, before anything else."""
        with self._condition:
            self._errands.append(errand)
            self._condition.notify()

    def predicted(self, tile: Tile) -> tuple[int, Bytes] | None:
        """The classes and the uncertainty of a tile, by the newest forest that was asked about it, and its version."""
        version = self._version_of.get(
            tile
        )  # before the tile, which may be renewed in between: it is asked for again then
        found = self._predicted.get(tile)
        return None if version is None or found is None else (version, found)

    def close(self) -> None:
        """End the thread as soon as what it does just now is done."""
        with self._condition:
            self._ended = True
            self._condition.notify()
        self._thread.join()

    def _work(self) -> None:
        while (task := self._next()) is not None:
            try:
                task()
            except (TeravoxError, ValueError) as error:
                self._failed_at = self._painting.version
                self._news.tell("error", text=str(error))
            except Exception as error:  # the thread must live on, and the person must know
                logging.getLogger(__name__).exception("live update failed")
                self._failed_at = self._painting.version
                self._news.tell("error", text=f"live update failed: {type(error).__name__}: {error}")

    def _next(self) -> Callable[[], None] | None:
        """What to do next, waiting for it; None at the end."""
        with self._condition:
            while not self._ended:
                if self._errands:
                    return self._errands.pop(0)
                if self._is_on and not self._is_warm:
                    return self._warm_up
                version = self._painting.version
                quiet = time.monotonic() - self._last_stroke
                may_learn = self._is_on and version != self._failed_at
                if may_learn and version != self._trained_at:
                    if quiet >= DEBOUNCE:
                        return self._learn
                    self._condition.wait(DEBOUNCE - quiet)
                    continue
                tile = self._next_tile() if self._is_on else None
                if tile is not None:
                    return lambda tile=tile: self._predict(tile)  # type: ignore[misc]  # the default binds this turn's tile
                if may_learn and self._lessons.behind():
                    return self._learn
                self._condition.wait()
            return None

    def _warm_up(self) -> None:
        """Find out whether learning is possible here, and load what it needs while nobody waits for it yet."""
        try:
            require_training()
        except BadUsage as missing:
            self._is_on = False
            self._news.tell("needs", text=str(missing))
        else:
            self._is_warm = True

    def _next_tile(self) -> Tile | None:
        learned = self.learned
        if learned is None:
            return None
        open_ones = (tile for tile in self._wanted if self._version_of.get(tile) != learned.version)
        return next((tile for tile in open_ones if tile not in self._failed), None)

    def _learn(self) -> None:
        """Learn from what is labelled: all of the newest, and of the rest as much as patience allows."""
        import numpy as np

        began, version = time.monotonic(), self._painting.version

        def go_on(is_known: bool) -> bool:
            if self._ended or self._painting.version != version:
                return False
            return is_known or is_new or time.monotonic() - began < PATIENCE

        behind = self._lessons.behind()
        for number, corner in enumerate(behind):
            is_new = number == 0
            self._news.tell("progress", text="looking at what is labelled", done=number, of=len(behind))
            if not self._lessons.catch_up(corner, go_on):
                break
        if self._painting.version != version or self._ended:
            return
        left = len(self._lessons.behind())
        features, labels = self._lessons.samples()
        present, numbers = np.unique(labels, return_inverse=True)
        self._trained_at = version
        if len(present) < 2:
            self._forget()
            self._news.tell("waiting", text="Label voxels of two classes, and live update begins.")
            return
        self._news.tell("progress", text="learning", done=0, of=1)
        forest = self._wish.train(features, numbers.reshape(-1), len(present))
        self._versions += 1
        self._failed.clear()
        self.learned = Learned(self._versions, forest, tuple(map(int, present)), len(labels))
        self._news.tell(
            "learned",
            version=self._versions,
            samples=len(labels),
            left=left,
            seconds=round(time.monotonic() - began, 3),
        )

    def _forget(self) -> None:
        self.learned = None
        self._failed.clear()
        self._predicted.clear()
        self._version_of.clear()

    def _predict(self, tile: Tile) -> None:
        import numpy as np

        from teravox.kernels.learning.uncertainty import uncertainty

        learned = self.learned
        if learned is None:
            return
        began = time.monotonic()
        self._failed.add(tile)  # until it is done
        seen = self._sight.see(tile)
        probabilities = learned.forest.predict(seen.features)
        classes = np.array(learned.classes, np.uint8)[probabilities.argmax(axis=1)]
        unsure = np.rint(uncertainty(probabilities) * np.float32(255)).astype(np.uint8)
        if seen.columns is not None:
            classes, unsure = classes[seen.columns], unsure[seen.columns]
        self._predicted.put(tile, np.stack([classes, unsure]))
        self._version_of[tile] = learned.version
        self._failed.discard(tile)
        wanted = self._wanted
        done = sum(self._version_of.get(one) == learned.version for one in wanted)
        self._news.tell(
            "predicted",
            tile="/".join(map(str, tile)),
            version=learned.version,
            done=done,
            of=len(wanted),
            seconds=round(time.monotonic() - began, 3),
        )
