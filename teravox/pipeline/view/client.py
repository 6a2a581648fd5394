"""The built Neuroglancer client, which the `neuroglancer` package brings along; nothing of the package is imported."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from teravox.pipeline.errors import BadUsage

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # the client has no folders
CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".wasm": "application/wasm",
}


def find_client() -> Path:
    """The folder of the client; BadUsage where it is not installed."""
    spec = importlib.util.find_spec("neuroglancer")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place, "static", "client")
        if (folder / "index.html").is_file():
            return folder
    raise BadUsage("the Neuroglancer client is not installed: pip install 'teravox[view]'")


def read_client_file(client: Path, name: str) -> tuple[bytes, str] | None:
    """A file of the client and its content type; None if there is no such file."""
    name = name or "index.html"
    if not _FILE.fullmatch(name) or not (client / name).is_file():
        return None
    return (client / name).read_bytes(), CONTENT_TYPES.get(Path(name).suffix, "application/octet-stream")
