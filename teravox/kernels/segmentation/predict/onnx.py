"""What a trained network says."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from teravox.kernels.segmentation.checks import Mask, Prediction, check_at_least
from teravox.kernels.segmentation.grey import Grey
from teravox.kernels.segmentation.network import LOADING, Activation, Floats, Network
from teravox.kernels.segmentation.onnx_file import describe
from teravox.kernels.segmentation.patches import Box, Patches, Vec
from teravox.kernels.segmentation.step import Margin, gives, holds, looks_around, takes
from teravox.kernels.segmentation.step_file import StepFile


def _margin(*, patch: Vec, rim: Vec, overlap: Vec, **_: object) -> Margin:
    return Patches(patch, rim, overlap).margin()


def _memory(*, channels: tuple[int, ...], **_: object) -> float:
    return 4.0 * len(channels)


def _fixed(*, model: StepFile, working_memory: int, **_: object) -> int:
    return working_memory + LOADING * describe(model).size


def _channels(*, channels: tuple[int, ...], **_: object) -> int:
    return len(channels)


@takes(_memory)
@holds(_fixed)
@gives(_channels)
@looks_around(_margin)
def predict(
    gray: Grey,
    mask: Mask | None,
    *,
    model: Annotated[StepFile, "the .onnx file, weights and all"],
    patch: Annotated[Vec, "what the network is given at a time, in voxels along z, y and x"] = (32, 128, 128),
    rim: Annotated[Vec, "voxels at every side of a patch whose results are dropped, along z, y and x"] = (8, 16, 16),
    overlap: Annotated[Vec, "voxels over which what is left of neighbouring patches is blended"] = (4, 16, 16),
    scale: Annotated[float, "grey values are multiplied by this, ..."] = 1 / 255,
    shift: Annotated[float, "... and then this is added"] = 0.0,
    activation: Annotated[Activation, "applied to what the network gives, where it does not give 0 to 1"] = "none",
    channels: Annotated[tuple[int, ...], "channels of the network that become those of the prediction, in order"] = (
        0,
    ),
    threads: Annotated[int, "threads that the network runs in"] = 1,
    working_memory: Annotated[
        int, "bytes that the network takes for a patch, beside its file, for plans of memory"
    ] = 1_000_000_000,
    corner: Vec = (0, 0, 0),
    kept: Box | None = None,
) -> Prediction:
    """A trained network from an ONNX file, in patches that are blended. Needs onnxruntime: pip install 'teravox[onnx]'."""
    patches = Patches(patch, rim, overlap)
    patches.check()
    check_at_least("threads", threads, 1)
    check_at_least("working_memory", working_memory, 0)
    if not channels:
        raise ValueError("channels is empty: name those of the network that are wanted, numbered from 0")
    _check_channels(channels, describe(model).channels)
    if kept is None:
        kept = ((0, gray.shape[0]), (0, gray.shape[1]), (0, gray.shape[2]))
    result = np.zeros((*gray.shape[:3], len(channels)), np.float32)
    if not result.size:
        return result
    network = Network(model, threads)
    image = gray if gray.ndim == 4 else gray[..., np.newaxis]
    for start in patches.over(kept, corner):
        if mask is not None and not _is_wanted(mask, start, patches.useful):
            continue
        given = patches.cut(image, start).astype(np.float32)
        given *= np.float32(scale)
        given += np.float32(shift)
        patches.add(result, _useful(network.run(given, activation), patches, channels), start)
    return np.minimum(result, np.float32(1), out=result)  # which rounded weights may exceed


def _is_wanted(mask: Mask, start: Vec, size: Vec) -> bool:
    z, y, x = (slice(max(first, 0), max(first + extent, 0)) for first, extent in zip(start, size, strict=True))
    return bool(mask[z, y, x].any())


def _useful(found: Floats, patches: Patches, channels: tuple[int, ...]) -> Floats:
    """The channels that are wanted of a patch, without its rim, checked."""
    if found.shape[:3] == patches.size:
        z, y, x = (slice(rim, size - rim) for rim, size in zip(patches.rim, patches.size, strict=True))
        found = found[z, y, x]
    elif found.shape[:3] != patches.useful:
        raise ValueError(
            f"the network makes {found.shape[:3]} of a patch of {patches.size}: it must keep the size, or drop a rim of {patches.rim}"
        )
    _check_channels(channels, found.shape[3])
    found = found[..., list(channels)]
    lowest, highest = float(found.min()), float(found.max())
    if not (lowest >= 0 and highest <= 1):
        raise ValueError(
            f"the network gives values from {lowest:g} to {highest:g}, not from 0 to 1: set activation to sigmoid or softmax"
        )
    return found


def _check_channels(channels: tuple[int, ...], there: int | None) -> None:
    """Refuse channels that a network does not give, as far as it is known how many these are."""
    if min(channels) < 0 or (there is not None and max(channels) >= there):
        number = "its" if there is None else there
        raise ValueError(f"the network gives {number} channels (numbered from 0), not {list(channels)}")
