"""Counts the labels of a box together with what takes all of it at once: contacts between labels, and values of an image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.label_tables.plan import Counts
from teravox.pipeline.label_tables.sums import too_many
from teravox.pipeline.layers.layer import Layer, within

if TYPE_CHECKING:
    from teravox.kernels.label_contacts import Contacts
    from teravox.kernels.label_table import Rows

A_LABEL = 1000  # bytes of a row while it is counted, measured and put into an object
A_CONTACT = 280  # bytes of a contact, likewise
LEAST_LABELS = 10_000  # that a piece may have, at least
CONTACTS_EACH = 14  # contacts of a label for which there is room, as labels have that fill a volume


class Measured(NamedTuple):
    rows: Rows
    contacts: Contacts | None


def values_layer(layer: Layer, mip: int, url: str) -> tuple[Layer, int]:
    """The image that is measured, and its mip with the voxels of the labels; BadUsage where it has none."""
    image = Layer.open(url)
    if image.info.num_channels != 1:
        raise BadUsage(f"--values: {image.url} has {image.info.num_channels} channels, and one is measured")
    wanted = layer.scale(mip)
    for number, scale in enumerate(image.info.scales):
        if all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(scale.resolution, wanted.resolution, strict=True)):
            return image, number
    raise BadUsage(f"--values: {image.url} has no mip with voxels of {wanted.resolution} nm, as {layer.place(mip)} has")


def check_values(layer: Layer, counts: Counts) -> None:
    """Raise BadUsage where what is counted lies in part outside of the image."""
    if counts.values is not None:
        image, mip = values_layer(layer, counts.mip, counts.values)
        if counts.bounds.intersect(image.bounds(mip)) != counts.bounds:
            raise BadUsage(
                f"--values: {image.place(mip)} is {image.bounds(mip)}, and what is counted is {counts.bounds}; "
                "say less with --bounds"
            )


def measure_labels(layer: Layer, counts: Counts, box: Box, memory: int, *, fill_missing: bool) -> Measured:
    """A row for each label in a box, and what else was asked for; BadInput where there are more than fit in memory.

    A face between two boxes belongs to the lower one.
    """
    import numpy as np

    from teravox.kernels.label_contacts import count_contacts
    from teravox.kernels.label_runs import tabulate
    from teravox.kernels.label_values import measure_values

    place = f"{box} of {layer.place(counts.mip)}"
    most_labels, most_contacts = _rooms(layer, counts, box, memory)
    wide = around(counts, box)
    voxels = np.asfortranarray(layer.read(wide, counts.mip, fill_missing=fill_missing)[..., 0])
    if voxels.dtype.kind == "i" and voxels.min(initial=0) < 0:
        raise BadInput(f"{place} has labels below 0, and labels are counted from 0 up")
    voxels = voxels.view(f"u{voxels.itemsize}")
    own = np.asfortranarray(voxels[within(box, wide)])
    rows = tabulate(own, box.min, most_labels)
    if rows is None:
        raise too_many(most_labels, place)
    if counts.values is not None:
        image, mip = values_layer(layer, counts.mip, counts.values)
        rows = measure_values(rows, own, image.read(box, mip, fill_missing=fill_missing)[..., 0])
    contacts = None
    if counts.contacts:
        contacts = count_contacts(voxels, box.size, most_contacts)
        if contacts is None:
            raise BadInput(
                f"in {place} more than {most_contacts // 2:,} pairs of labels touch, which --memory does not allow: "
                "give it more --memory, or a smaller --shape"
            )
    return Measured(rows, contacts)


def measuring_bytes(layer: Layer, counts: Counts, box: Box, memory: int) -> int:
    """The most bytes that `measure_labels` needs."""
    labels, contacts = _rooms(layer, counts, box, memory)
    return _voxel_bytes(layer, counts, box) + labels * A_LABEL + contacts * A_CONTACT


def fits(layer: Layer, counts: Counts, size: Vec, memory: int) -> bool:
    """Whether a piece of a size leaves room for labels within so much memory."""
    return _bytes_of(layer, counts, size) + LEAST_LABELS * (A_LABEL + CONTACTS_EACH * A_CONTACT) <= memory


def fits_well(layer: Layer, counts: Counts, size: Vec, memory: int) -> bool:
    """Whether the voxels of a piece take no more than half of the memory, so that it may have many labels."""
    return _bytes_of(layer, counts, size) - LIBRARIES <= (memory - LIBRARIES) // 2


def _bytes_of(layer: Layer, counts: Counts, size: Vec) -> int:
    low = counts.bounds.min
    return _voxel_bytes(layer, counts, Box(low, (low[0] + size[0], low[1] + size[1], low[2] + size[2])))


def _rooms(layer: Layer, counts: Counts, box: Box, memory: int) -> tuple[int, int]:
    """How many labels there may be, and how many contacts."""
    free = max(0, memory - _voxel_bytes(layer, counts, box))
    labels = min(free // (A_LABEL + (CONTACTS_EACH * A_CONTACT if counts.contacts else 0)), box.voxels)
    return labels, labels * CONTACTS_EACH if counts.contacts else 0


def _voxel_bytes(layer: Layer, counts: Counts, box: Box) -> int:
    """The bytes that the voxels of a box take, with those beside it and those of the image."""
    from teravox.pipeline.layers.chunk_memory import COPIES, fetching_bytes

    wide = box.voxels + sum(box.voxels // n for n in box.size) + 1
    scale, itemsize = layer.scale(counts.mip), layer.info.itemsize
    total = 2 * itemsize * wide + COPIES * layer.lanes * math.prod(scale.chunk) * itemsize
    total += math.ceil(fetching_bytes(scale, itemsize, wide))
    if counts.values is not None:
        image, mip = values_layer(layer, counts.mip, counts.values)
        size, beside = image.info.itemsize, image.scale(mip)
        total += size * box.voxels + 16 * (box.voxels // max(1, box.size[2]))
        total += COPIES * image.lanes * math.prod(beside.chunk) * size + math.ceil(fetching_bytes(beside, size, wide))
    return LIBRARIES + total


def around(counts: Counts, box: Box) -> Box:
    """A box with the voxels that follow it, where faces between them and its own are counted."""
    if not counts.contacts:
        return box
    x, y, z = (n + 1 for n in box.max)
    return Box(box.min, (x, y, z)).intersect(counts.bounds)
