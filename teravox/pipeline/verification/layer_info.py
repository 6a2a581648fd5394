"""Verifies what describes a layer: the info, what it names, and the provenance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.layers.chunk_numbers import chunk_numbers
from teravox.pipeline.layers.encodings import TAKES
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.look import Look
from teravox.pipeline.verification.parts import Part

FOLDERS = ("mesh", "skeletons")  # words of an info that name a folder; properties of segments are a table


def find_info(look: Look) -> Iterable[Part]:
    """The info; also where it is lost."""
    yield LayerInfo(look)


class LayerInfo:
    """The info and the provenance."""

    place = "info"

    def __init__(self, look: Look) -> None:
        self._look = look

    def steps(self) -> int:
        return 1

    def findings(self) -> Iterator[Finding]:
        self._look.step(1)
        data = self._look.store.get("info")
        if data is None:
            if self._look.is_blind:
                yield Finding("missing", "info", "it is not there, and tasks have written to this layer")
            return
        try:
            layer = Layer(self._look.store, data)
        except TeravoxError as error:
            yield Finding("invalid", "info", str(error))
            return
        yield from self._scales(layer)
        yield from self._folders(layer)
        yield from self._provenance()

    def _scales(self, layer: Layer) -> Iterator[Finding]:
        keys = [scale.key for scale in layer.info.scales]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            yield Finding("invalid", "info", f"several mips have the key {key}")
        for mip, scale in enumerate(layer.info.scales):
            if scale.encoding not in TAKES:
                yield Finding("invalid", "info", f"mip {mip} is encoded as {scale.encoding!r}, which nobody knows")
            data_types, channels = TAKES.get(scale.encoding, (None, None))
            if (data_types and layer.info.data_type not in data_types) or (
                channels and layer.info.num_channels not in channels
            ):
                yield Finding(
                    "invalid", "info",
                    f"mip {mip} is encoded as {scale.encoding}, which cannot hold {layer.info.num_channels} channels of {layer.info.data_type}",
                )  # fmt: skip
            if scale.sharding is not None:
                try:
                    chunk_numbers(scale, f"mip {mip}")
                except TeravoxError as error:
                    yield Finding("invalid", "info", str(error))

    def _folders(self, layer: Layer) -> Iterator[Finding]:
        """What the info names is there; what is in it is for other parts."""
        raw = layer.raw
        for word in FOLDERS:
            folder = raw.get(word)
            if isinstance(folder, str) and folder and not self._is_there(folder):
                yield Finding("missing", folder, f"the info names it as its {word}, and there is nothing")

    def _is_there(self, folder: str) -> bool:
        if self._look.can_list:
            return bool(list(islice(self._look.store.list(f"{folder}/"), 1)))
        return self._look.store.get(f"{folder}/info") is not None

    def _provenance(self) -> Iterator[Finding]:
        try:
            data = self._look.store.get("provenance")
            if data is not None and data.strip():
                msgspec.json.decode(data, type=dict)
        except (msgspec.DecodeError, UnicodeDecodeError, TeravoxError) as error:
            yield Finding("invalid", "provenance", f"it is not JSON: {error}")
