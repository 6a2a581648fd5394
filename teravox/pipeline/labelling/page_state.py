"""What the page is told when it opens: the image and its mips, the planes, and what can be done."""

from __future__ import annotations

from typing import Any

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.labelling.planes import PLANES, TILE
from teravox.pipeline.labelling.session import LabelSession
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.view.sample import contrast_of, take_sample

Json = dict[str, Any]  # JSON may hold anything


def page_state(session: LabelSession, *, has_client: bool) -> Json:
    """Everything that does not change while the page is open."""
    image, mip = session.image, session.mip
    levels = [
        {"mip": number, "resolution": scale.resolution, "min": scale.bounds.min, "max": scale.bounds.max}
        for number, scale in enumerate(image.info.scales)
        if number >= mip
    ]
    return {
        "image": image.url,
        "layer": session.labels.url,
        "full": image.scale(0).resolution,
        "levels": levels,
        "planes": {name: plane._asdict() for name, plane in PLANES.items()},
        "tile": TILE,
        "dataType": image.info.data_type,
        "contrast": _contrast(image),
        "hasClient": has_client,
        "supervoxels": session.regions is not None,
        "model": session.model_output,
    }


def _contrast(image: Layer) -> list[tuple[float, float]]:
    """Black and white of each channel."""
    try:
        sample = take_sample(image)
    except TeravoxError:  # what cannot be read is said where it is shown
        return [(0.0, 255.0)] * image.info.num_channels
    return [contrast_of(sample[..., channel]) for channel in range(image.info.num_channels)]
