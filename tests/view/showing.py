"""What the real client shows of layers, as a picture with its state and its panels.

The pictures are kept in the folder that TERAVOX_TEST_PICTURES names, if it names one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from layers.make import Array
from view.browser import Page, Picture

READY = (
    "window.viewer && viewer.layerManager.managedLayers.length && viewer.display.panels.size > 3 && viewer.isReady()"
)
PANELS = """[...viewer.display.panels].map(panel => panel.element.getBoundingClientRect())
    .map(at => [at.left, at.top, at.width, at.height])"""


class Panel(NamedTuple):
    """A part of the page, in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2


class Seen(NamedTuple):
    """A picture of the client, and where it shows what."""

    picture: Picture
    state: dict[str, Any]  # JSON
    panels: list[Panel]  # x and y, then x and z, then 3-D, then y and z

    def xy_plane(self, plane: Array, step: float) -> Array:
        """The colors at the middles of a plane's voxels, which are `step` voxels of mip 0 wide."""
        middle = self.panels[0].middle
        x, y = (
            np.round((np.arange(n) * step + step / 2 - at) / self.state["crossSectionScale"] + half).astype(int)
            for n, at, half in zip(plane.shape, self.state["position"], middle, strict=False)
        )
        colors: Array = self.picture[y[None, :], x[:, None]].astype(float)
        return colors

    def space(self, picture: Picture | None = None) -> Array:
        """The 3-D panel, of this picture or of a later one."""
        left, top, width, height = map(int, self.panels[2])
        taken = self.picture if picture is None else picture
        return taken[top + 5 : top + height - 5, left + 5 : left + width - 5].astype(float)


@contextmanager
def viewed(page: Page, name: str, folder: Path, *words: str) -> Iterator[Seen]:
    """What `teravox view` shows of some layers."""
    command = [sys.executable, "-m", "teravox", "view", "--no-browser", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            page.open(process.stdout.readline().strip())
            page.wait_for(READY)
            png, picture = page.take_picture()
            keep(png, name, folder)
            origin = page.evaluate("location.origin")
            loaded = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
            assert loaded
            assert all(url.startswith(f"{origin}/") for url in loaded), "the page loads from elsewhere"
            state = json.loads(page.evaluate("JSON.stringify(viewer.state.toJSON())"))
            panels = sorted((Panel(*at) for at in page.evaluate(PANELS)), key=lambda at: (at.top, at.left))
            yield Seen(picture, state, panels)
            page.open("about:blank")
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()


def keep(png: bytes, name: str, folder: Path) -> None:
    """Put a picture where people can look at it."""
    kept = Path(os.environ.get("TERAVOX_TEST_PICTURES") or folder)
    kept.mkdir(parents=True, exist_ok=True)
    (kept / f"{name}.png").write_bytes(png)


def models_only(
    page: Page, seen: Seen, colors: Mapping[int, str], name: str, folder: Path, *, zoom: float = 1
) -> Array:
    """The 3-D panel without anything but meshes and skeletons, in these colors of segments."""
    state = seen.state | {"showSlices": False, "showAxisLines": False}
    state["projectionScale"] /= zoom
    state["layers"][0]["segmentColors"] = {str(label): color for label, color in colors.items()}
    page.evaluate(f"viewer.state.restoreState({json.dumps(state)})")
    page.evaluate("requestAnimationFrame(() => requestAnimationFrame(() => { window.isDrawn = true; }))")
    page.wait_for(f"window.isDrawn && {READY}")
    png, picture = page.take_picture()
    keep(png, name, folder)
    return seen.space(picture)


def share_of(color: str, space: Array) -> float:
    """How many of the pixels have a color like #ff8000, in whatever light."""
    wanted = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)], float)
    bright = np.linalg.norm(space, axis=2)
    likeness = space @ (wanted / np.linalg.norm(wanted)) / np.maximum(bright, 1)
    return float(((likeness > 0.98) & (bright > 40)).mean())
