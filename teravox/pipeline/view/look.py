"""Looks at layers before they are shown, so that the client opens with a picture and not with a black page."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.layers.encodings import check_encoding
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.view.any_layer import AnyLayer, open_any
from teravox.pipeline.view.sample import contrast_of, largest_labels, take_sample
from teravox.pipeline.view.state import Shown, is_segmentation, name_layers
from teravox.pipeline.view.translate import is_translated

SELECTED = 12  # segments whose meshes or skeletons are shown at first


def look_at(urls: Sequence[str], segments: Sequence[int] = ()) -> list[Shown]:
    """The layers with their names, contrasts and selected segments; a TeravoxError says why one cannot be shown."""
    layers = [open_any(url) for url in urls]
    for layer in (layer for layer in layers if isinstance(layer, Layer)):
        for scale in layer.info.scales:
            if is_translated(layer.info, scale):
                check_encoding(scale.encoding, layer.info)
    return [_look(layer, name, tuple(segments)) for layer, name in zip(layers, name_layers(urls), strict=True)]


def _look(layer: AnyLayer, name: str, segments: tuple[int, ...]) -> Shown:
    if not isinstance(layer, Layer):
        return Shown(layer, name)
    has_models = any(layer.raw.get(word) for word in ("mesh", "skeletons"))
    if is_segmentation(layer) and (segments or not has_models):
        return Shown(layer, name, segments=segments)
    try:
        sample = take_sample(layer)
    except TeravoxError as error:
        logging.getLogger(__name__).warning("%s; it is shown as far as it can be read", error)
        return Shown(layer, name)
    if is_segmentation(layer):
        return Shown(layer, name, segments=largest_labels(sample, SELECTED))
    return Shown(layer, name, contrast=contrast_of(sample))
