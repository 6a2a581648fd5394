"""One sitting of labelling: the image, the labels, what was learnt of them, and who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from teravox.kernels.learning.classes import Class, check_classes, color_of
from teravox.kernels.learning.selection import Selection
from teravox.pipeline.errors import BadInput
from teravox.pipeline.labelling.feature_tiles import FeatureTiles
from teravox.pipeline.labelling.guide import Guide
from teravox.pipeline.labelling.kept_chunks import KeptChunks
from teravox.pipeline.labelling.live import Learned, Live
from teravox.pipeline.labelling.news import News
from teravox.pipeline.labelling.painting import Painting
from teravox.pipeline.labelling.saved_model import save_model
from teravox.pipeline.labelling.session_lock import SessionLock
from teravox.pipeline.labelling.strokes import Stroke
from teravox.pipeline.labelling.supervoxel_regions import SupervoxelRegions
from teravox.pipeline.labelling.supervoxel_set import SupervoxelSet
from teravox.pipeline.labelling.training_set import TrainingSet
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.axes import AnyAxis
from teravox.pipeline.learning.class_file import write_classes
from teravox.pipeline.learning.labels import Labels
from teravox.pipeline.learning.wish import USUAL, Wish
from teravox.pipeline.limits import granted_memory

if TYPE_CHECKING:
    from teravox.kernels.learning.model import Model
    from teravox.kernels.learning.slic_tiles import Supervoxels

SHARE = 4  # of the memory that may be used, one part is for features, and half of that for the image
MOST = 2 << 30  # bytes for features, however much memory there is


class Painted(msgspec.Struct, frozen=True):
    """The labels after a change."""

    version: int
    changed: int  # voxels
    can_undo: bool
    can_redo: bool


class LabelSession:
    """Holds the lock on the labels from its making to its closing."""

    def __init__(
        self,
        image: Layer,
        labels: Labels,
        selection: Selection,
        *,
        supervoxels: Supervoxels | None = None,
        wish: Wish = USUAL,
        model_output: str | None = None,
    ) -> None:
        self.image = image
        self.selection = selection
        self._wish = wish
        self.model_output = model_output
        self.labels = labels
        self.mip = labels.mip_of(image)
        self.news = News()
        memory = min(MOST, granted_memory()[0] // SHARE)
        self.chunks = KeptChunks(image, memory // 2)
        self.regions = (
            None if supervoxels is None else SupervoxelRegions(image, self.mip, selection, supervoxels, memory)
        )
        self._guide = Guide(image, self.mip, labels, selection)
        self._lock = SessionLock(labels.layer.store)
        self._lock.take()
        try:
            self.painting = Painting(labels, self._lock.check)
        except BaseException:
            self._lock.release()
            raise
        if self.regions is not None:
            self.live = Live(self.regions, SupervoxelSet(self.regions, self.painting), self.painting, self.news, wish)
            return
        tiles = FeatureTiles(self.chunks, self.mip, selection, memory)
        self.live = Live(tiles, TrainingSet(tiles, self.painting), self.painting, self.news, wish)

    @property
    def classes(self) -> tuple[Class, ...]:
        return self.labels.classes

    def now(self, changed: int = 0) -> Painted:
        """How the labels are."""
        painting = self.painting
        return Painted(painting.version, changed, painting.can_undo, painting.can_redo)

    def paint(self, stroke: Stroke) -> Painted:
        """Write a stroke, and where supervoxels are labelled all of those that it touches; BadInput where there is no such class."""
        if stroke.label > len(self.classes):
            raise BadInput(f"there is no class {stroke.label}: there are {len(self.classes)}")
        places = stroke.places(self.labels.bounds)
        if self.regions is not None:
            places = self.regions.whole(places)
        return self._changed(self.painting.label(places, stroke.label))

    def undo(self) -> Painted:
        return self._changed(int(self.painting.undo()))

    def redo(self) -> Painted:
        return self._changed(int(self.painting.redo()))

    def add_class(self, name: str) -> tuple[Class, ...]:
        """One more class, after those that there are; BadInput where the name will not do."""
        classes = (*self.classes, Class(name.strip(), color_of(len(self.classes) + 1)))
        try:
            check_classes(classes)
        except ValueError as error:
            raise BadInput(str(error)) from None
        self._lock.check()
        write_classes(self.labels.layer.store, classes)
        self.labels.classes = classes
        self.news.tell("classes", classes=classes)
        return classes

    def suggest(self, axis: AnyAxis) -> None:
        """Find the slice that is best labelled next, and tell the page."""

        def find() -> None:
            model = None if self.live.learned is None else self._model(self.live.learned)
            found = self._guide.next(axis, self.painting.version, model, self.news)
            self.news.tell("suggestion", **found)

        self.live.run(find)

    def save_model(self) -> None:
        """Learn from all labels and write the model, and tell the page; BadInput where nobody said where to."""
        output = self.model_output
        if output is None:
            raise BadInput("the session was begun without --model-output, so there is no file to save a model to")

        def save() -> None:
            self.news.tell(
                "saved", text=save_model(self.image, self.labels, self.selection, self._how, self._wish, output)
            )

        self.live.run(save)

    def _model(self, learned: Learned) -> Model:
        """What was learnt of the labels of now, as a model."""
        from teravox.kernels.learning.model import Model

        x, y, z = map(float, self.image.scale(self.mip).resolution)
        return Model(
            unit="voxels" if self._how is None else "supervoxels",
            classes=tuple(self.classes[label - 1] for label in learned.classes),
            selection=self.selection,
            channels=self.image.info.num_channels,
            resolution=(z, y, x),
            forest=learned.forest,
            supervoxels=None if self._how is None else self._how.to_json(),
        )

    @property
    def _how(self) -> Supervoxels | None:
        """How supervoxels are made, if these are labelled."""
        return None if self.regions is None else self.regions.how

    def close(self) -> None:
        """End what is still going on, and let other sessions have the labels."""
        self.news.close()
        self.live.close()
        self._lock.release()

    def _changed(self, changed: int) -> Painted:
        said = self.now(changed)
        if changed:
            self.live.painted()
            self.news.tell("labels", **msgspec.structs.asdict(said))
        return said
