"""The state that the Neuroglancer client is opened with: which layers, in which colors, seen from where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.view.translate import shown_type

if TYPE_CHECKING:
    from teravox.pipeline.view.any_layer import AnyLayer
    from teravox.pipeline.view.sample import Range

Json = dict[str, Any]  # JSON may hold anything
Position = tuple[float, float, float]
PANEL = 320  # pixels of a panel that the volume is to fill; the client tells nobody how large its panels are
AROUND = 1.4  # of the volume's extent that the 3-D panel shows
COLORS = ("red", "green", "blue")  # of the first channels
ANNOTATION = "auto"  # what the source says; a slow client that is told the type at once may lose a layer on the way
ORDER = ("image", "segmentation", ANNOTATION)  # what comes later is drawn over the rest


class Shown(msgspec.Struct, frozen=True):
    """A layer, and what was found out in order to show it."""

    layer: AnyLayer
    name: str
    contrast: Range | None = None  # of an image
    segments: tuple[int, ...] = ()  # of a segmentation, to be selected


def is_segmentation(layer: Layer) -> bool:
    """Whether the client can show a layer as segments."""
    return layer.info.type == "segmentation" and layer.info.data_type != "float32"


def name_layers(urls: Sequence[str]) -> list[str]:
    """A name for each layer: the last part of its URL, with a number where that is not enough."""
    names: list[str] = []
    for url in urls:
        stem = url.rpartition("/")[2]
        name, number = stem, 1
        while name in names:
            number += 1
            name = f"{stem} {number}"
        names.append(name)
    return names


def make_state(shown: Sequence[Shown], sources: Sequence[str], position: Position | None = None) -> Json:
    """The client's state. `sources` are the URLs of the layers; `position` is in voxels of the first one."""
    low, high = _extent(shown)
    step = _resolution(shown[0].layer)
    middle = [(a + b) / 2 / n for a, b, n in zip(low, high, step, strict=True)]
    across = max(b - a for a, b in zip(low, high, strict=True)) / min(step)
    layers = [_layer(one, source) for one, source in zip(shown, sources, strict=True)]
    layers.sort(key=lambda layer: ORDER.index(layer["type"]))
    return {
        "title": ", ".join(one.name for one in shown),
        "dimensions": {axis: [n * 1e-9, "m"] for axis, n in zip("xyz", step, strict=True)},
        "position": list(position or middle),
        "crossSectionScale": across / PANEL,
        "projectionScale": across * AROUND,
        "layers": layers,
        "layout": "4panel",
    }


def as_fragment(state: Json) -> str:
    """A state as it stands behind the URL of the client's page."""
    return "#!" + quote(msgspec.json.encode(state).decode(), safe="/:,@!()*~")


def _layer(one: Shown, source: str) -> Json:
    said: Json = {"name": one.name, "source": f"precomputed://{source}"}
    if not isinstance(one.layer, Layer):
        return {"type": ANNOTATION, **said}
    if not is_segmentation(one.layer):
        return {"type": "image", **said, **_contrast(one.layer, one.contrast)}
    if not one.segments:
        return {"type": "segmentation", **said}
    selected = [str(label) for label in one.segments]
    return {"type": "segmentation", **said, "segments": selected, "notSelectedAlpha": 0.25}


def _contrast(layer: Layer, contrast: Range | None) -> Json:
    """The shader of an image: gray, or the first channels as colors."""
    info = layer.info
    black_white: Json = {}
    if contrast is not None:
        is_float = shown_type(info) == "float32"
        black_white = {"range": [value if is_float else str(int(value)) for value in contrast]}
    if info.num_channels == 1:
        return {"shaderControls": {"normalized": black_white}}
    colors = COLORS[: info.num_channels]
    controls = [f"#uicontrol invlerp {color}(channel={channel})" for channel, color in enumerate(colors)]
    values = [f"{color}()" for color in colors] + ["0.0"] * (3 - len(colors))
    return {
        "shader": "\n".join([*controls, f"void main() {{ emitRGB(vec3({', '.join(values)})); }}"]) + "\n",
        "shaderControls": dict.fromkeys(colors, black_white),
    }


def _extent(shown: Sequence[Shown]) -> tuple[list[float], list[float]]:
    """The corners of what all layers cover together, in nanometres."""
    lows, highs = [], []
    for one in shown:
        step, (low, high) = _resolution(one.layer), _corners(one.layer)
        lows.append([n * wide for n, wide in zip(low, step, strict=True)])
        highs.append([n * wide for n, wide in zip(high, step, strict=True)])
    return [min(axis) for axis in zip(*lows, strict=True)], [max(axis) for axis in zip(*highs, strict=True)]


def _resolution(layer: AnyLayer) -> tuple[float, float, float]:
    """The size of a voxel of full size, or of the step in which places are told."""
    return layer.scale(0).resolution if isinstance(layer, Layer) else layer.resolution


def _corners(layer: AnyLayer) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """The lowest and the highest place, in the same."""
    if not isinstance(layer, Layer):
        return layer.low, layer.high
    bounds = layer.scale(0).bounds
    return bounds.min, bounds.max
