"""What is done once, before the first piece of a copy of meshes and after the last."""

from __future__ import annotations

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.info import Json
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.copying.labels_file import write_labels
from teravox.pipeline.meshes.copying.one_level import BITS
from teravox.pipeline.meshes.copying.plan import Plan
from teravox.pipeline.meshes.legacy_source import LegacySource
from teravox.pipeline.meshes.mesh_info import IDENTITY, LEGACY, MULTIRES, read_mesh_info
from teravox.pipeline.meshes.multires_source import ShardedSource
from teravox.pipeline.meshes.result_folder import claim_folder
from teravox.pipeline.storage.folders import remove_folder
from teravox.pipeline.storage.side_by_side import side_by_side

NOT_COPIED = ("mesh", "skeletons", "segment_properties")  # words of a layer's info
OF_THE_SOURCE = ("sharding", "segment_properties", "spatial_index")  # words of the meshes' info


def prepare_copy(plan: Plan) -> None:
    """Write the info of the copy, which no layer names yet, and the labels that are to be copied."""
    import numpy as np

    _check_labels(plan)
    if plan.dest.get("info") is None:
        _make_layer(plan)
    claim_folder(plan.dest, plan.folder, _info(plan), plan.wish.job_id, bits=plan.spread.shard_bits)
    if not plan.wish.labels and not isinstance(plan.source, ShardedSource):
        labels = np.fromiter(plan.source.labels(), np.uint64)
        write_labels(plan.dest, plan.labels_key, labels, plan.spread.shard_bits)


def publish_copy(plan: Plan) -> None:
    """Let the layer name the copy, and remove what only the tasks needed."""
    layer = Layer.open(plan.wish.dest, fresh=True)
    if layer.raw.get("mesh") != plan.folder:
        layer.write_info(layer.raw | {"mesh": plan.folder})
    remove_folder(plan.dest, plan.transfer_folder)


def _check_labels(plan: Plan) -> None:
    levels = side_by_side(lambda label: (label, plan.source.levels(label)), dict.fromkeys(plan.wish.labels))
    missing = sorted(label for label, count in levels if not count)
    if missing:
        said = ", ".join(map(str, missing[:10])) + (" …" if len(missing) > 10 else "")
        raise BadUsage(f"--labels: {plan.source.url} has no mesh of {said}")


def _make_layer(plan: Plan) -> None:
    """A layer with the first mip of the source, without voxels: meshes belong to a layer."""
    source = Layer.open(plan.wish.source, fresh=True)
    if source.info.type != "segmentation":
        raise BadInput(f"{source.url} is no segmentation, so no layer can be made like it at {plan.dest.url}")
    from teravox.pipeline.layers.new_layer import create_layer

    raw = {word: value for word, value in source.raw.items() if word not in NOT_COPIED}
    create_layer(plan.wish.dest, raw | {"scales": raw["scales"][:1]})


def _info(plan: Plan) -> Json:
    """The info of the copy."""
    _, raw = read_mesh_info(plan.source.store, plan.source.folder)
    raw = {word: value for word, value in raw.items() if word not in OF_THE_SOURCE}
    if plan.form == "legacy":
        if isinstance(plan.source, LegacySource):
            return raw
        return {"@type": LEGACY}
    if isinstance(plan.source, LegacySource):
        raw = {
            "@type": MULTIRES,
            "vertex_quantization_bits": BITS,
            "lod_scale_multiplier": 1,
            "transform": list(IDENTITY),
        }
    return raw | ({"sharding": plan.spread.as_json()} if plan.form == "sharded" else {})
