"""Which encodings there are, what each takes, and what it needs; planning a job looks here, and loads no library."""

from __future__ import annotations

from importlib.util import find_spec

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.info import Info

# encoding → the data types and the numbers of channels that it takes; None takes any
TAKES: dict[str, tuple[frozenset[str] | None, frozenset[int] | None]] = {
    "raw": (None, None),
    "jpeg": (frozenset({"uint8"}), frozenset({1, 3})),
    "jxl": (frozenset({"uint8"}), frozenset({1})),
    "png": (frozenset({"uint8"}), frozenset({1, 2, 3, 4})),  # cloud-volume writes uint16 too, but cannot read it
    "compressed_segmentation": (frozenset({"uint32", "uint64"}), frozenset({1})),
    "compresso": (frozenset({"uint8", "uint16", "uint32", "uint64"}), frozenset({1})),
    "crackle": (frozenset({"uint8", "uint16", "uint32", "uint64"}), frozenset({1})),
    "fpzip": (frozenset({"float32"}), None),
    "kempressed": (frozenset({"float32"}), None),
    "zfpc": (frozenset({"float32"}), None),  # it decodes integers as float32, and not all of those survive it
}
NEEDS = {  # encoding → the module that does it, and what to install for it
    "jpeg": ("simplejpeg", "simplejpeg"),
    "jxl": ("imagecodecs", "imagecodecs"),
    "png": ("pyspng", "pyspng-seunglab"),
    "compresso": ("compresso", "compresso"),
    "crackle": ("crackle", "crackle-codec"),
    "fpzip": ("fpzip", "fpzip"),
    "kempressed": ("fpzip", "fpzip"),
    "zfpc": ("zfpc", "zfpc"),
}
MAY_CRASH = frozenset({"compresso", "crackle", "fpzip", "kempressed", "zfpc"})  # the process, by broken data
BLOCK = (8, 8, 8)  # of compressed_segmentation, where the info names none
CONTENT_TYPES = {"jpeg": "image/jpeg", "jxl": "image/jxl", "png": "image/png"}


def check_encoding(encoding: str, info: Info) -> None:
    """Raise BadUsage if a layer's voxels cannot be encoded so, here and now."""
    if encoding not in TAKES:
        raise unknown_encoding(encoding)
    data_types, channels = TAKES[encoding]
    if data_types is not None and info.data_type not in data_types:
        raise BadUsage(f"{encoding} encodes {', '.join(sorted(data_types))}, and this layer holds {info.data_type}")
    if channels is not None and info.num_channels not in channels:
        few = " or ".join(map(str, sorted(channels)))
        raise BadUsage(f"{encoding} encodes {few} channels, and this layer has {info.num_channels}")
    check_installed(encoding)


def unknown_encoding(encoding: str) -> BadUsage:
    return BadUsage(f"there is no encoding {encoding!r}; there are {', '.join(TAKES)}")


def check_installed(encoding: str) -> None:
    """Raise BadUsage if what the encoding needs is not installed."""
    module, package = NEEDS.get(encoding, ("", ""))
    if module and find_spec(module) is None:
        raise BadUsage(f"{encoding} needs a package that is not installed: pip install {package}")
