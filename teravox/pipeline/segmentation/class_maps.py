"""The likeliest class of each voxel, or the probabilities of all classes, as a layer: what predictions are for by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.encoding import compression_of, encoding_words
from teravox.pipeline.layers.info import encode_info
from teravox.pipeline.layers.layer import Layer, within
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale
from teravox.pipeline.segmentation.layer_input import channels_of
from teravox.pipeline.segmentation.plan import Plan
from teravox.pipeline.segmentation.region import Region
from teravox.pipeline.segmentation.running import Block, predict_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.store import Compression

    Array = NDArray[Any]  # uint8 or float32

Json = dict[str, Any]  # JSON may hold anything
COMPRESS = "auto"
MOST_CLASSES = 255


def describe(plan: Plan) -> Json:
    """The info of DEST."""
    channels = channels_of(plan.chain.predict, plan.input, plan.zyx)
    scale = new_scale(
        bounds=plan.bounds,
        resolution=plan.resolution,
        chunk=plan.chunk,
        encoding=encoding_words(plan.job.encoding or "raw"),
    )
    if plan.job.output == "classes":
        if channels > MOST_CLASSES:
            raise BadUsage(f"--output: {channels:,} classes are more than 8 bits can tell apart; take probabilities")
        return new_info(type="segmentation", data_type="uint8", channels=1, scales=[scale])
    return new_info(type="image", data_type=plan.job.data_type, channels=channels, scales=[scale])


def create(plan: Plan) -> Layer:
    """Write the info of DEST, or find that it is there; BadUsage where another layer is."""
    return create_layer(plan.dest.url, describe(plan))


def expected_layer(plan: Plan) -> Layer:
    """DEST as it will be, to ask for its keys."""
    return Layer(plan.dest, encode_info(describe(plan)))


def compression(plan: Plan) -> Compression | None:
    """How the chunks of DEST are compressed."""
    return compression_of(COMPRESS, describe(plan)["scales"][0]["encoding"])


def write_block(block: Block, region: Region) -> None:
    """Write the chunks of a block. It may run twice."""
    plan = block.plan
    layer = Layer.open(plan.dest.url, fresh=True)
    key = describe(plan)["scales"][0]["key"]
    mip = next(mip for mip, scale in enumerate(layer.info.scales) if scale.key == key)
    mask = region.mask(block.read)
    prediction = predict_block(block, region, None if mask is None else mask.T)
    x, y, z = within(block.core, block.read)
    voxels = _rate(plan, prediction[z, y, x])
    if mask is not None:
        voxels *= mask[x, y, z, None]
    layer.write(block.core, mip, voxels, compress=compression(plan))


def _rate(plan: Plan, prediction: Array) -> Array:
    """What is written of a prediction (z, y, x, channel): x, y, z and channel."""
    import numpy as np

    if plan.job.output == "classes":
        return np.asfortranarray(_classes(prediction).T[..., np.newaxis])
    found = prediction.transpose(2, 1, 0, 3)
    if plan.job.data_type == "uint8":
        return np.asfortranarray(np.rint(found * np.float32(255)).astype(np.uint8))
    return np.array(found, np.float32, order="F")


def _classes(prediction: Array) -> Array:
    """1 and up: the class of the highest probability, the first of equal ones; of a single channel, 1 from a half on."""
    import numpy as np

    if prediction.shape[3] == 1:
        return np.asarray(prediction[..., 0] >= 0.5, np.uint8)
    return np.asarray(prediction.argmax(axis=3) + 1, np.uint8)
