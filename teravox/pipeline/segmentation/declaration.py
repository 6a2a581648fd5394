"""What `segment` is told, each option worded once; trying a block out takes the same steps."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Vec
from teravox.pipeline.job import Job
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.options import Bounds, Dest, EncodingName, FillMissing, Memory, Mip, Source, says
from teravox.pipeline.segmentation.steps import Step, Steps

P = TypeVar("P", bound=msgspec.Struct)

StepsFile = Annotated[
    Steps | None,
    says(
        "TOML or JSON file that names the steps, as tables [predict], [supervoxels] and [[agglomerate]], each with its "
        "name and its parameters. It is read where the command is typed; the options win over it."
    ),
]
Predict = Annotated[
    Step | None,
    says(
        "How likely each voxel is membrane, or belongs to each class: NAME or NAME:KEY=VALUE,… of a built-in step, or "
        "MODULE:FUNCTION of your own module, which --plugin names, or the file of a trained model, NAME.model or NAME.ilp. "
        "Default: membrane."
    ),
]
Supervoxels = Annotated[
    Step | None, says("How the predictions are cut into small pieces, written likewise. Default: distance-watershed.")
]
Agglomerate = Annotated[
    tuple[Step, ...] | None,
    says(
        "How pieces are joined to bodies, written likewise; several steps follow one another. Default: mean-boundary."
    ),
]
BlockShape = Annotated[
    Vec | None,
    says(
        "Size of a block without its halo, in voxels of --mip: a multiple of the chunks of DEST. Default: by --memory, "
        "at most 512,512,512."
    ),
]
Halo = Annotated[Vec, says("Voxels that are segmented around a block, too: by them its neighbours are joined to it.")]
Roi = Annotated[
    KnownFile | str | None,
    says(
        "Segment this part only: a layer that is not 0 there, or a file of this machine with a box like "
        "0,0,0:512,512,64 of voxels of --mip in each line, or with a DVID ROI as JSON. Outside of it all is 0.",
        form="layer",
    ),
]
RoiMip = Annotated[
    Annotated[int, Meta(ge=0)] | None,
    says("Level of the layer that --roi names. Default: the coarsest that is no coarser than --mip of SOURCE."),
]
Preserve = Annotated[
    str | None,
    says("Layer with bodies that keep their voxels and their ids; nothing is merged into them.", form="layer"),
]
PreserveIds = Annotated[
    KnownFile | None, says("File of this machine with the ids of these bodies, with spaces, commas or lines between.")
]
Output = Annotated[
    Literal["labels", "classes", "probabilities"],
    says(
        "labels: bodies, block by block, to be joined by `teravox stitch`. classes: a layer with the likeliest class of "
        "each voxel. probabilities: a layer with those of all classes, a channel each."
    ),
]
Keep = Annotated[
    Literal["nothing", "predictions", "supervoxels"],
    says(
        "What else is kept in DEST, without loss: a job with other steps after it begins there instead of with the image."
    ),
]
PluginTimeout = Annotated[
    Annotated[float, Meta(gt=0)] | None,
    says(
        "Time after which a step of a block counts as hung, and its process is ended. Default: never.", form="seconds"
    ),
]


class Segmenting(Job[P], Generic[P], frozen=True, rename={"memory_limit": "memory"}):
    """The options of segmenting a layer block by block."""

    source: Source
    dest: Dest
    mip: Mip = 0
    bounds: Bounds = None
    shape: BlockShape = None
    halo: Halo = (20, 20, 20)
    steps: StepsFile = None
    predict: Predict = None
    supervoxels: Supervoxels = None
    agglomerate: Agglomerate = None
    roi: Roi = None
    roi_mip: RoiMip = None
    preserve: Preserve = None
    preserve_ids: PreserveIds = None
    output: Output = "labels"
    data_type: Annotated[
        Literal["uint8", "float32"], says("How --output probabilities are kept: uint8 is 255 times as much.")
    ] = "uint8"
    keep: Keep = "nothing"
    plugin_timeout: PluginTimeout = None
    chunk_size: Annotated[
        Vec | None, says("Size of a chunk of DEST, in voxels. Default: that of the chunks of SOURCE.")
    ] = None
    encoding: Annotated[
        EncodingName | None,
        says("How the chunks of --output classes and probabilities are encoded. Default: raw."),
    ] = None
    fill_missing: FillMissing = False
    memory_limit: Memory = 3_500_000_000
