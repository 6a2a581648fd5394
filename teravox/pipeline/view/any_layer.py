"""What can be shown: layers of voxels, and layers of annotations."""

from __future__ import annotations

from teravox.pipeline.annotations.info import Annotations, find_annotations
from teravox.pipeline.layers.layer import Layer

AnyLayer = Layer | Annotations


def open_any(url: str) -> AnyLayer:
    """The layer at a path or URL."""
    return find_annotations(url) or Layer.open(url)
