"""What options of an evaluation cannot be meant, said before anything is done."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.storage.urls import normalize

if TYPE_CHECKING:
    from teravox.pipeline.evaluation.declaration import Evaluation

MOST = 1 << 40  # voxels of a piece


def check_options(job: Evaluation[Any], a: Layer, b: Layer) -> None:
    """Raise BadUsage, which names the option and the layer."""
    if a.info.data_type.startswith("float"):
        raise BadUsage(f"A: {a.url} holds {a.info.data_type}, and labels are whole numbers")
    if a.info.num_channels != 1:
        raise BadUsage(f"A: {a.url} has {a.info.num_channels} channels, and labels have one")
    if job.probabilities:
        if b.info.data_type not in ("uint8", "uint16", "float32"):
            raise BadUsage(f"--probabilities: {b.url} holds {b.info.data_type}; expected uint8, uint16 or float32")
    elif b.info.data_type.startswith("float"):
        raise BadUsage(
            f"B: {b.url} holds {b.info.data_type}, and labels are whole numbers; say --probabilities if it holds those"
        )
    elif b.info.num_channels != 1:
        raise BadUsage(f"B: {b.url} has {b.info.num_channels} channels, and labels have one")
    _refuse_what_means_nothing(job)
    _check_sizes(job)
    if job.channel >= b.info.num_channels:
        raise BadUsage(f"--channel: {b.url} has {b.info.num_channels}, counted from 0; got {job.channel}")
    check_apart(job.dest, [a.url, b.url, *([] if job.mask is None else [job.mask])])


def _check_sizes(job: Evaluation[Any]) -> None:
    if min(job.boundary) < 0:
        raise BadUsage(f"--boundary: expected three numbers from 0 up, got {job.boundary}")
    if job.heat_map is not None and min(job.heat_map) < 1:
        raise BadUsage(f"--heat-map: expected three numbers from 1 up, got {job.heat_map}")
    if job.shape is not None and (min(job.shape) < 1 or math.prod(job.shape) > MOST):
        raise BadUsage(f"--shape: expected three numbers from 1 up, and at most {MOST:,} voxels, got {job.shape}")
    if max(job.ignore_label, default=0) >= 1 << 64:
        raise BadUsage(f"--ignore-label: labels have 64 bits, got {max(job.ignore_label)}")
    if job.shape is None or job.heat_map is None:
        return
    if any(n % r for n, r in zip(job.shape, job.heat_map, strict=True)):
        raise BadUsage(f"--shape: expected multiples of --heat-map {job.heat_map}, got {job.shape}")


def _refuse_what_means_nothing(job: Evaluation[Any]) -> None:
    usual = {field.name: field.default for field in msgspec.structs.fields(job)}
    of_labels = ("ignore_label", "ignore_empty", "body_threshold", "heat_map", "classes", "worst")
    names = of_labels if job.probabilities else ("channel", "threshold")
    for name in names:
        if getattr(job, name) != usual[name]:
            word = "with" if job.probabilities else "without"
            raise BadUsage(f"--{name.replace('_', '-')}: means nothing {word} --probabilities")


def check_apart(dest: str, urls: Sequence[str]) -> None:
    """Raise BadUsage of a folder within a layer that is compared: nothing is ever written into one."""
    for url in urls:
        if f"{_follow(dest)}/".startswith(f"{_follow(url)}/"):
            raise BadUsage(f"--dest: {dest} lies within the layer {url}, which is only read. Choose another folder")


def _follow(url: str) -> str:
    url = normalize(url)
    return f"file://{os.path.realpath(url.removeprefix('file://'))}" if url.startswith("file://") else url
