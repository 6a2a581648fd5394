"""What is done once, before the first piece of a copy of objects and after the last."""

from __future__ import annotations

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.copying.labels_file import write_labels
from teravox.pipeline.objects.copying.plan import Plan
from teravox.pipeline.objects.result_folder import claim_folder, let_name
from teravox.pipeline.objects.sort import SORTS
from teravox.pipeline.storage.folders import remove_folder
from teravox.pipeline.storage.side_by_side import side_by_side

NOT_COPIED = (*(sort.word for sort in SORTS), "segment_properties")  # words of a layer's info


def prepare_copy(plan: Plan) -> None:
    """Write the info of the copy, which no layer names yet, and the labels that are to be copied."""
    import numpy as np

    _check_labels(plan)
    if plan.dest.get("info") is None:
        _make_layer(plan)
    claim_folder(plan.dest, plan.folder, plan.ways.info(plan), plan.wish.job_id, bits=plan.spread.shard_bits)
    if not plan.wish.labels and plan.source.shards is None:
        labels = np.fromiter(plan.source.labels(), np.uint64)
        write_labels(plan.dest, plan.labels_key, labels, plan.spread.shard_bits)


def publish_copy(plan: Plan) -> None:
    """Let the layer name the copy, and remove what only the tasks needed."""
    let_name(Layer.open(plan.wish.dest, fresh=True), plan.ways.sort, plan.folder)
    remove_folder(plan.dest, plan.transfer_folder)


def _check_labels(plan: Plan) -> None:
    looked = side_by_side(lambda label: (label, plan.source.has(label)), dict.fromkeys(plan.wish.labels))
    missing = sorted(label for label, is_there in looked if not is_there)
    if missing:
        said = ", ".join(map(str, missing[:10])) + (" …" if len(missing) > 10 else "")
        raise BadUsage(f"--labels: {plan.source.url} has no {plan.ways.sort.one} of {said}")


def _make_layer(plan: Plan) -> None:
    """A layer with the first mip of the source, without voxels: objects belong to a layer."""
    source = Layer.open(plan.wish.source, fresh=True)
    if source.info.type != "segmentation":
        raise BadInput(f"{source.url} is no segmentation, so no layer can be made like it at {plan.dest.url}")
    from teravox.pipeline.layers.new_layer import create_layer

    raw = {word: value for word, value in source.raw.items() if word not in NOT_COPIED}
    create_layer(plan.wish.dest, raw | {"scales": raw["scales"][:1]})
