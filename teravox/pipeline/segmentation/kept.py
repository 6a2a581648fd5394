"""What a block has kept of its first steps, so that another job with other steps after them need not repeat them.

Nothing is lost by keeping: predictions are stored bit by bit, each byte of their numbers apart, which packs best.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.bundle import Entry, join_parts, pack_array, read_bundle
from teravox.pipeline.segmentation.block_files import pack_labels, unpack_labels
from teravox.pipeline.segmentation.plan_file import FOLDER
from teravox.pipeline.storage.side_by_side import LOCAL_LANES, do_all, side_by_side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.box import Box
    from teravox.pipeline.segmentation.plan import Plan

    Prediction = NDArray[np.float32]  # z, y, x, channel
    Labels = NDArray[np.uint32]  # z, y, x
    Bytes = NDArray[np.uint8]

PREDICTIONS, SUPERVOXELS = "predictions", "supervoxels"
AFTER = {  # what is kept → what of the options does not matter for it
    PREDICTIONS: ("supervoxels", "agglomerate", "preserve", "preserve_ids", "chunk"),
    SUPERVOXELS: ("agglomerate", "chunk"),
}
REMEDY = "remove it, and what it was kept of is made again"


def kept_folder(plan: Plan, what: str) -> str:
    """Where it lies in DEST, for all jobs that agree up to there."""
    return f"{FOLDER}/kept/{what}-{plan.digest(*AFTER[what])}"


def kept_key(plan: Plan, what: str, index: int) -> str:
    return f"{kept_folder(plan, what)}/{index}"


def is_kept(plan: Plan, what: str, index: int) -> bool:
    key = kept_key(plan, what, index)
    return plan.dest.exists([key])[key]


def count_kept(plan: Plan, what: str) -> int:
    """How many blocks have kept it."""
    return sum(1 for _ in plan.dest.list(f"{kept_folder(plan, what)}/"))


def keep_prediction(plan: Plan, index: int, prediction: Prediction) -> None:
    import numpy as np

    depth, height, width, channels = prediction.shape
    numbers = prediction.reshape(-1).view(np.uint8).reshape(-1, channels, 4)

    def pack(at: tuple[int, int]) -> tuple[tuple[int, int], tuple[Entry, bytes]]:
        channel, place = at
        return at, pack_array(f"{channel}.{place}", numbers[:, channel, place])

    parts = dict(side_by_side(pack, [(c, p) for c in range(channels) for p in range(4)], LOCAL_LANES))
    said = {"channels": channels, "x": width, "y": height, "z": depth}
    plan.dest.put(kept_key(plan, PREDICTIONS, index), join_parts(said, [parts[at] for at in sorted(parts)]))


def read_prediction(plan: Plan, index: int) -> Prediction:
    import numpy as np

    bundle = read_bundle(plan.dest, kept_key(plan, PREDICTIONS, index), REMEDY)
    depth, height, width, channels = (bundle.numbers[word] for word in ("z", "y", "x", "channels"))
    prediction = np.empty((depth, height, width, channels), np.float32)
    numbers = prediction.reshape(-1).view(np.uint8).reshape(-1, channels, 4)

    def unpack(at: tuple[int, int]) -> None:
        numbers[:, at[0], at[1]] = bundle.get(f"{at[0]}.{at[1]}")

    do_all(unpack, [(c, p) for c in range(channels) for p in range(4)], LOCAL_LANES)
    return prediction


def keep_supervoxels(plan: Plan, index: int, supervoxels: Labels) -> None:
    entry = pack_array("labels", pack_labels(supervoxels.T))
    plan.dest.put(kept_key(plan, SUPERVOXELS, index), join_parts({}, [entry]))


def read_supervoxels(plan: Plan, index: int, read: Box) -> Labels:
    key = kept_key(plan, SUPERVOXELS, index)
    bundle = read_bundle(plan.dest, key, REMEDY)
    labels: NDArray[Any] = unpack_labels(bundle, "labels", read, f"{plan.dest.url}/{key}")
    return labels.T


def say_kept(plan: Plan, blocks: int) -> list[str]:
    """What a job will begin with, for the person who starts it."""
    for what in (SUPERVOXELS, PREDICTIONS):
        found = min(blocks, count_kept(plan, what))
        if found:
            rest = "" if found == blocks else f"; the other {blocks - found:,} begin with the image"
            return [f"The {what} of {found:,} blocks are kept in {plan.dest.url}, and are used{rest}."]
    if plan.job.keep == "nothing":
        sentence = (
            "Every block begins with the image. With --keep predictions or supervoxels, another job with other steps "
            "after them begins there."
        )
        return [sentence]
    return []
