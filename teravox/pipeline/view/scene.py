"""A scene: the Neuroglancer state of some layers as a file, which names the layers where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.storage.urls import normalize
from teravox.pipeline.view.state import Json

_SOURCE = "precomputed://"


class Scene(NamedTuple):
    """A state and the layers that it shows, in its order."""

    layers: tuple[str, ...]
    state: Json


def make_scene(layers: Sequence[str]) -> Scene:
    """The scene of layers as `teravox view` would open them; a sample of each is read."""
    from teravox.pipeline.view.look import look_at
    from teravox.pipeline.view.state import make_state

    urls = [normalize(url) for url in layers]
    return _scene(make_state(look_at(urls), urls))


def save_scene(layers: Sequence[str], output: str) -> None:
    """Write the scene of layers to a file of this machine, or to an object in a bucket."""
    from teravox.pipeline.storage.open import open_store

    place, _, name = normalize(output).rpartition("/")
    open_store(place).put(name, msgspec.json.format(msgspec.json.encode(make_scene(layers).state), indent=2))


def read_scene(url: str) -> Scene:
    """The scene in a file; BadInput says why it is none."""
    from teravox.pipeline.storage.open import open_store

    place, _, name = normalize(url).rpartition("/")
    data = open_store(place).get(name)
    if data is None:
        raise BadInput(f"there is no scene {url}")
    try:
        state = msgspec.json.decode(data, type=Json)
        return _scene(state)
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{url} is no scene: it must be a Neuroglancer state with Precomputed layers ({error})"
        ) from None


def with_sources(scene: Scene, sources: Sequence[str]) -> Json:
    """The state with other URLs of its layers."""
    layers = [said | {"source": _SOURCE + source} for said, source in zip(scene.state["layers"], sources, strict=True)]
    return scene.state | {"layers": layers}


def _scene(state: Json) -> Scene:
    sources = [layer["source"] for layer in state["layers"]]
    if not sources or not all(isinstance(source, str) and source.startswith(_SOURCE) for source in sources):
        raise TypeError(f"each layer needs one source that begins with {_SOURCE}")
    return Scene(tuple(source.removeprefix(_SOURCE) for source in sources), state)
