"""A Graphene volume as a source: supervoxels in a Precomputed layer, and a server that says to which bodies they belong.

Its bodies are read through cloud-volume, which knows the server and its tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.allowed import is_allowed, say_allowed
from teravox.pipeline.errors import BadInput, BadUsage, Fatal, Transient
from teravox.pipeline.layers.info import encode_info
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.sources.extras import load
from teravox.pipeline.sources.moment import read_moment
from teravox.pipeline.sources.precomputed import PrecomputedSource
from teravox.pipeline.sources.source import Choice, Part
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.urls import GRAPHENE, normalize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from teravox.pipeline.sources.source import Array

    Volume = Any  # a CloudVolume: it has no types

COPIES = 3  # of the voxels that are read at a time, while their labels are looked up


class GrapheneSource(PrecomputedSource):
    """One mip, with the bodies of one moment, which is why it is the same for every task."""

    def __init__(self, url: str, volume: Volume, layer: Layer, choice: Choice, moment: int) -> None:
        super().__init__(layer, choice)
        self.place = f"mip {choice.mip} of {url}"
        self._url = url
        self._volume = volume
        self._moment = moment

    def read(self, part: Part) -> Array:
        import numpy as np

        supervoxels = np.asfortranarray(super().read(part))
        with _understood(self._url):
            bodies: Array = self._volume.agglomerate_cutout(supervoxels, timestamp=self._moment, in_place=True)
        return bodies

    def lane_bytes(self) -> int:
        return super().lane_bytes() + COPIES * self.turn


def open_graphene(url: str, choice: Choice) -> PrecomputedSource:
    """The volume of a server, graphene://https://SERVER/segmentation/table/NAME."""
    moment = read_moment(choice.timestamp, url)
    cloudvolume = load("cloudvolume", "Graphene volumes")
    with _understood(url):
        volume = cloudvolume.CloudVolume(url, progress=False)
        raw = dict(volume.info)
        place = normalize(volume.cloudpath)
    if not is_allowed(place):
        raise BadUsage(f"the supervoxels of {url} are in {place}, which is {say_allowed()}")
    layer = Layer(open_store(place), encode_info(raw))
    if layer.info.type != "segmentation" or layer.info.data_type != "uint64":
        raise BadInput(f"{url} is no segmentation of uint64, as Graphene volumes are: its server says something else")
    return PrecomputedSource(layer, choice) if moment is None else GrapheneSource(url, volume, layer, choice, moment)


def _understood(url: str) -> AbstractContextManager[None]:
    """What goes wrong between cloud-volume and the server, in sentences of ours."""
    from contextlib import contextmanager

    import requests
    from cloudvolume import exceptions

    @contextmanager
    def understood() -> Iterator[None]:
        try:
            yield
        except exceptions.AuthenticationError as error:
            raise Fatal(
                f"{url} needs a token, which is looked for in ~/.cloudvolume/secrets/cave-secret.json: {error}"
            ) from None
        except exceptions.UnsupportedFormatError:
            raise BadUsage(
                f"{url} names no Graphene volume: they are like {GRAPHENE}https://SERVER/segmentation/table/NAME"
            ) from None
        except exceptions.UnsupportedGrapheneAPIVersionError as error:
            raise BadInput(f"the server of {url} speaks another version than cloud-volume: {error}") from None
        except requests.HTTPError as error:
            status = 0 if error.response is None else error.response.status_code
            if status in {401, 403}:
                raise Fatal(
                    f"the server of {url} does not let you in ({status}): renew the token in "
                    "~/.cloudvolume/secrets/cave-secret.json, or ask for access"
                ) from None
            if status == 404:  # as HTTP has it
                raise BadUsage(f"the server of {url} knows no volume of this name") from None
            raise Transient(f"the server of {url} answers with {status}") from None
        except requests.ConnectionError as error:
            raise Transient(f"the server of {url} cannot be reached: {error}") from None

    return understood()
