"""What the options of a segmentation come to: blocks, steps, what is left out, and where everything is kept."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.same_place import refuse_same
from teravox.pipeline.layers.shapes import enlarge, say_size
from teravox.pipeline.learning.classifier_step import check_classifier
from teravox.pipeline.segmentation import preserving
from teravox.pipeline.segmentation.box_region import BoxRegion, parse_region
from teravox.pipeline.segmentation.declaration import Segmenting
from teravox.pipeline.segmentation.layer_input import LayerInput, input_of
from teravox.pipeline.segmentation.layer_region import LayerRegion, mip_near
from teravox.pipeline.segmentation.memory import Needs, block_bytes
from teravox.pipeline.segmentation.pipeline_steps import Chain, bind_steps
from teravox.pipeline.segmentation.plan_file import PlanFile, folder_of, has_plan, read_plan
from teravox.pipeline.segmentation.preserving import Bodies, open_bodies, parse_ids, read_ids
from teravox.pipeline.segmentation.region import Everything, Region
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.store import Store
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.pipeline.segmentation.preserving import Ids

RESULTS = 1  # goes up when the same options come to mean other labels
BITS = 24  # of an id that are the label's, within its block
LARGEST = (512, 512, 512)  # of a block, where nobody says how large

Json = dict[str, Any]  # JSON may hold anything


class Plan(NamedTuple):
    """A segmentation before any block is read."""

    job: Segmenting[Any]
    source: Layer
    input: LayerInput  # what predictions are made of
    dest: Store
    chain: Chain
    bounds: Box
    shape: Vec
    chunk: Vec
    resolution: tuple[float, float, float]  # in x, y, z

    @property
    def zyx(self) -> tuple[float, float, float]:
        """The resolution as steps take it."""
        x, y, z = self.resolution
        return (z, y, x)

    @property
    def grid(self) -> Grid:
        return Grid(self.bounds, self.shape)

    @property
    def halo(self) -> Vec:
        """What is read around a block; nothing for predictions that say what they look around."""
        is_known = self.job.output != "labels" and self.chain.predict.says_margin
        return (0, 0, 0) if is_known else self.job.halo

    @property
    def asked(self) -> Json:
        """What changes the labels, besides where they are: the same is never computed twice."""
        job = self.job
        return {
            "results": RESULTS,
            "source": job.source,
            "mip": job.mip,
            "fill_missing": job.fill_missing,
            "roi": _name(job.roi),
            "roi_mip": job.roi_mip,
            "preserve": job.preserve,
            "preserve_ids": _name(job.preserve_ids),
            **self.chain.said,
        }

    def digest(self, *left_out: str) -> str:
        """A name for what is computed, by all that it depends on."""
        said = {word: value for word, value in self.asked.items() if word not in left_out}
        where = [self.bounds, self.shape, self.halo, self.chunk if "chunk" not in left_out else None]
        return hashlib.sha256(msgspec.json.encode([said, where], order="sorted")).hexdigest()[:16]

    @property
    def id(self) -> str:
        return self.digest()

    @property
    def folder(self) -> str:
        return folder_of(self.id)

    def file(self, ids: Ids | None, region: Region) -> PlanFile:
        """The plan as it is kept; finding the blocks that are used may take a while."""
        base = 0 if ids is None else preserving.base_above(ids, BITS)
        if base + (len(self.grid) << BITS) >= 1 << 63:
            raise BadUsage(f"--shape: {len(self.grid):,} blocks are more than there are ids for: make them larger")
        used = region.used(self.grid)
        if not used:
            raise BadUsage(f"--roi: nothing of it lies within {self.bounds}")
        return PlanFile(
            source=self.job.source,
            mip=self.job.mip,
            bounds=self.bounds,
            shape=self.shape,
            halo=self.halo,
            chunk=self.chunk,
            resolution=self.resolution,
            bits=BITS,
            base=base,
            used=used.runs,
            asked=self.asked,
        )

    def region(self, *, given: bool = False) -> Region:
        """What is to be segmented: as the options say, or as `given` with the plan to workers."""
        job = self.job
        if job.roi is None:
            return Everything()
        if isinstance(job.roi, KnownFile):
            if given:
                return BoxRegion.read(self.dest, f"{self.folder}/roi")
            full = self.source.scale(0).resolution
            return parse_region(job.roi.read(), job.roi.path, full, self.resolution)
        layer = Layer.open(job.roi)
        mip = mip_near(layer, self.resolution) if job.roi_mip is None else job.roi_mip
        return LayerRegion(layer, mip, self.resolution, fill_missing=job.fill_missing)

    def preserved_ids(self) -> Ids | None:
        """The ids of the bodies that are preserved, as the options say."""
        if self.job.preserve_ids is None:
            return None
        return parse_ids(self.job.preserve_ids.read(), self.job.preserve_ids.path)

    def bodies(self, ids: Ids | None = None) -> Bodies | None:
        """The bodies that are preserved; their ids are read as they were given with the plan, unless they are known."""
        if self.job.preserve is None:
            return None
        ids = read_ids(self.dest, f"{self.folder}/preserved-ids") if ids is None else ids
        return open_bodies(self.job.preserve, self.resolution, ids, fill_missing=self.job.fill_missing)

    def kept_plan(self) -> PlanFile | None:
        """The plan that lies in DEST, if it does."""
        return read_plan(self.dest, self.id) if has_plan(self.dest, self.id) else None

    def needs(self) -> Needs:
        """What a block takes for each voxel."""
        return Needs.of(self.chain, self.zyx, self.input, with_mask=self.job.roi is not None, bodies=self.bodies_size)

    @property
    def bodies_size(self) -> int:
        """The bytes of a voxel of the layer with bodies that are preserved; 0 where there is none."""
        return 0 if self.job.preserve is None else Layer.open(self.job.preserve).info.itemsize

    def memory(self, core: Box) -> int:
        """The most bytes that a block needs."""
        return block_bytes(core, self)


def make_plan(job: Segmenting[Any], *, fresh: bool = False) -> Plan:
    """What a job's options come to; BadUsage names the option that cannot be meant."""
    source = Layer.open(job.source, fresh=fresh)
    scale = source.scale(job.mip)
    _check(job)
    chain = bind_steps(job)
    check_classifier(chain.predict, source, job.mip)
    bounds = scale.bounds
    if job.bounds is not None:
        bounds = job.bounds.intersect(bounds)
        if bounds.is_empty:
            raise BadUsage(f"--bounds: {job.bounds} lies outside of {source.place(job.mip)}, which is {scale.bounds}")
    chunk = job.chunk_size or scale.chunk
    if min(chunk) < 1:
        raise BadUsage(f"--chunk-size: expected three numbers from 1 up, got {say_size(chunk)}")
    x, y, z = map(float, scale.resolution)
    given = input_of(job, chain.predict, source, bounds)
    plan = Plan(job, source, given, open_store(job.dest), chain, bounds, chunk, chunk, (x, y, z))
    return plan._replace(shape=_shape(plan))


def _check(job: Segmenting[Any]) -> None:
    refuse_same(job.source, job.dest)
    for option, layer in (("--roi", job.roi), ("--preserve", job.preserve)):
        if isinstance(layer, str):
            _refuse_same(option, layer, job.dest)
    if min(job.halo) < 0:
        raise BadUsage(f"--halo: expected three numbers from 0 up, got {say_size(job.halo)}")
    if job.roi_mip is not None and not isinstance(job.roi, str):
        raise BadUsage("--roi-mip: means nothing without a layer in --roi")
    if job.preserve is not None and job.preserve_ids is None:
        raise BadUsage("--preserve: say which of its bodies with --preserve-ids FILE")
    if job.preserve is None and job.preserve_ids is not None:
        raise BadUsage("--preserve-ids: say with --preserve in which layer these bodies are")
    if job.output == "labels":
        if job.encoding is not None:
            raise BadUsage("--encoding: means nothing with --output labels; say it to `teravox stitch relabel`")
    else:
        for option, given in (("--preserve", job.preserve is not None), ("--keep", job.keep == "supervoxels")):
            if given:
                raise BadUsage(f"{option}: means nothing with --output {job.output}, which has no bodies")
    if job.output == "classes" and job.encoding in ("jpeg", "jxl"):
        raise BadUsage(
            f"--encoding: {job.encoding} may change which class a voxel has; take raw, png, compresso or crackle"
        )
    if job.output != "probabilities" and job.data_type != "uint8":
        raise BadUsage("--data-type: means nothing without --output probabilities")


def _refuse_same(option: str, layer: str, dest: str) -> None:
    try:
        refuse_same(layer, dest)
    except BadUsage:
        raise BadUsage(f"{option}: it is DEST, and what is read is never written to. Choose another DEST") from None


def _shape(plan: Plan) -> Vec:
    """The size of a block: as it was asked for, else as large as --memory allows."""
    job, whole = plan.job, plan.bounds.size

    def bytes_of(shape: Vec) -> int:
        x, y, z = (min(n, most) for n, most in zip(shape, whole, strict=True))
        low = plan.bounds.min  # a block in the middle of nowhere has its whole halo
        return block_bytes(Box(low, (low[0] + x, low[1] + y, low[2] + z)), plan._replace(shape=shape), anywhere=True)

    least = job.shape or plan.chunk
    if min(least) < 1:
        raise BadUsage(f"--shape: expected three numbers from 1 up, got {say_size(least)}")
    if any(n % c and n < most for n, c, most in zip(least, plan.chunk, whole, strict=True)):
        raise BadUsage(
            f"--shape: expected multiples of the chunks of DEST, {say_size(plan.chunk)}, got {say_size(least)}"
        )
    if math.prod(least) >= 1 << 32:
        raise BadUsage(f"--shape: a block has at most {(1 << 32) - 1:,} voxels, got {say_size(least)}")
    needed = bytes_of(least)
    if needed > job.memory_limit:
        option = "--memory" if job.shape is None else "--shape"
        raise BadUsage(
            f"{option}: a block of {say_size(least)} voxels with its halo needs {say_bytes(needed)}, and --memory allows "
            f"{say_bytes(job.memory_limit)}"
        )
    if job.shape is not None:
        return job.shape

    def fits(shape: Vec) -> bool:
        return all(n <= most for n, most in zip(shape, LARGEST, strict=True)) and bytes_of(shape) <= job.memory_limit

    return enlarge(plan.chunk, whole, fits, (0, 1, 2))


def _name(place: KnownFile | str | None) -> str | None:
    """A place in the name of what is computed: a file counts by what it holds."""
    return place.sha256 if isinstance(place, KnownFile) else place
