"""What commands have in common that learn from labels: which labels, which features, which classifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from teravox.cli.command import Command
from teravox.cli.errors import BadOption
from teravox.cli.options import Quiet
from teravox.kernels.learning.selection import DEFAULT, FILTERS, SIGMAS, Selection, matrix, parse
from teravox.pipeline.learning.wish import AT_MOST, USUAL, Wish
from teravox.pipeline.options import Bounds, FillMissing, Layer, says

if TYPE_CHECKING:
    from teravox.kernels.learning.slic_tiles import Supervoxels
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.learning.labels import Labels

USUAL_SIGMAS = tuple(dict.fromkeys(feature.sigma for feature in DEFAULT))

LabelLayer = Annotated[
    str,
    says(
        "Layer of labels, as `teravox learn label` makes it, or any segmentation whose numbers are classes; 0 is unlabelled.",
        form="layer",
        positional=True,
    ),
]
Features = Annotated[
    str | None,
    says(
        "File of this machine that chooses features, a line for each, like hessian-of-gaussian-eigenvalues:1.6,3.5 or "
        "gaussian-smoothing:all; :flat at its end means slice by slice.",
        form="path",
    ),
]
Sigmas = Annotated[
    tuple[float, ...],
    says(
        f"How much the image is blurred before, in voxels of the finest axis, such as {', '.join(f'{one:g}' for one in SIGMAS)}."
    ),
]

Filters = Annotated[tuple[str, ...], says(f"Filters that make the features, each at each sigma: {', '.join(FILTERS)}.")]
Flat = Annotated[bool, says("Filter slice by slice, for images whose slices do not fit on each other.")]

SupervoxelSize = Annotated[
    Annotated[int, Meta(ge=8)] | None,
    says("Classify supervoxels of about so many voxels instead of voxels. Default: voxels."),
]

MethodName = Annotated[
    Literal["boosting", "forest"],
    says("boosting: trees that correct each other. forest: a random forest, whose trees vote."),
]


class Learning(Command, frozen=True, kw_only=True):
    """The options of learning from labels."""

    image: Layer
    labels: LabelLayer
    mip: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        says("Level of IMAGE that was labelled. Default: the one with the voxel size of LABELS."),
    ] = None
    bounds: Bounds = None
    filters: Filters = FILTERS
    sigmas: Sigmas = USUAL_SIGMAS
    flat: Flat = False
    features: Features = None
    supervoxels: SupervoxelSize = None
    method: MethodName = USUAL.method
    trees: Annotated[
        Annotated[int, Meta(ge=1, le=5000)] | None,
        says("Trees, for boosting of three or more classes so many of each. Default: 50."),
    ] = None
    weights: Annotated[
        Literal["balanced", "labels"],
        says(
            "balanced: each class counts as much as every other, however few labels it has. labels: each label counts the "
            "same, for labels that are as frequent as their classes are."
        ),
    ] = USUAL.weights
    leaves: Annotated[int, Meta(ge=2, le=65536), says("Most leaves of a tree; up to 32 predict fast.")] = USUAL.leaves
    at_most: Annotated[
        int,
        Meta(ge=10, le=100_000_000),
        says("Most labelled voxels of each class that are learnt from; chance takes them."),
    ] = AT_MOST
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1), says("What is done where chance decides.")] = 0
    fill_missing: FillMissing = False
    quiet: Quiet = False

    def wish(self) -> Wish:
        """How to train."""
        return Wish(self.method, self.trees, self.leaves, self.seed, self.weights)

    def selection(self) -> Selection:
        """The features that are meant; BadOption where none can be."""
        return choose_features(self.filters, self.sigmas, self.features, flat=self.flat)

    def open(self) -> tuple[OpenLayer, int, Labels]:
        """The image, the mip that was labelled, and the labels."""
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.learning.labels import open_labels

        image, labels = OpenLayer.open(self.image, fresh=True), open_labels(self.labels)
        fitting = labels.mip_of(image)
        if self.mip not in (None, fitting):
            image.scale(self.mip)
            raise BadOption(
                f"--mip: the labels have the voxels of mip {fitting} of {image.url}, not of mip {self.mip}; leave it out"
            )
        return image, fitting, labels

    def how(self, image: OpenLayer, mip: int) -> Supervoxels | None:
        """How supervoxels are made, if these are classified."""
        return how_supervoxels(self.supervoxels, image, mip)

    def count(self, image: OpenLayer, mip: int, labels: Labels) -> int:
        """How many voxels will be learnt from, or of supervoxels how many tiles."""
        from teravox.pipeline.learning.chosen import choose

        bounds = image.bounds(mip) if self.bounds is None else self.bounds.intersect(image.bounds(mip))
        how = self.how(image, mip)
        if how is None:
            return len(choose(labels, bounds, self.at_most, self.seed).classes)
        from teravox.pipeline.learning.supervoxel_samples import labelled_tiles

        return len(labelled_tiles(labels, how, bounds))


def how_supervoxels(size: int | None, image: OpenLayer, mip: int) -> Supervoxels | None:
    """How supervoxels of about so many voxels are made; None where there is no size."""
    if size is None:
        return None
    from teravox.kernels.learning.slic_tiles import COMPACTNESS, ITERATIONS
    from teravox.pipeline.learning.supervoxel_samples import make_supervoxels

    return make_supervoxels(image, mip, size=size, compactness=COMPACTNESS, iterations=ITERATIONS)


def choose_features(
    filters: tuple[str, ...], sigmas: tuple[float, ...], features: str | None, *, flat: bool
) -> Selection:
    """The features that are meant; BadOption where none can be."""
    if features is not None:
        if filters != FILTERS or sigmas != USUAL_SIGMAS or flat:
            raise BadOption("--features: its file says all of the features; leave out --filters, --sigmas and --flat")
        try:
            return parse(Path(features).read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            said = error.strerror if isinstance(error, OSError) else "it is no text"
            raise BadOption(f"--features: cannot read {features}: {said}") from None
        except ValueError as error:
            raise BadOption(f"--features: {features}: {error}") from None
    option = "--filters" if set(filters) - set(FILTERS) else "--sigmas"
    try:
        return matrix(filters, sigmas, flat=flat)
    except ValueError as error:
        raise BadOption(f"{option}: {error}") from None


def output_path(output: str, ending: str, why: str, option: str = "--output") -> Path:
    """A file to write; BadOption where it cannot be meant."""
    path = Path(output).absolute()
    if path.suffix.lower() != ending:
        raise BadOption(f"{option}: {output} does not end with {ending}, {why}")
    if path.is_dir() or not path.parent.is_dir():
        there = "is a folder" if path.is_dir() else f"lies in {path.parent}, which is no folder"
        raise BadOption(f"{option}: {output} {there}; name a file in a folder that is there")
    return path
