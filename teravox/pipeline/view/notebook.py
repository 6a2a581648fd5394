"""Layers in a notebook: Neuroglancer under a cell, served by the notebook's own process until it ends."""

from __future__ import annotations

import html
from collections.abc import Sequence
from threading import Thread
from typing import TYPE_CHECKING, Self

from teravox.pipeline.box import Vec

if TYPE_CHECKING:
    from types import TracebackType

    from teravox.pipeline.view.server import ViewServer

HEIGHT = 480  # pixels


class View:
    """What a cell shows that ends with it: layers in Neuroglancer.

    It goes on to serve until it is closed or the notebook's process ends. The browser must run on the same machine, or
    the port of `url` must lead there.
    """

    def __init__(self, server: ViewServer, height: int) -> None:
        self._server = server
        self._height = height
        self._serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._serving.start()

    @property
    def url(self) -> str:
        """What shows the same in a window of its own."""
        return self._server.url

    @property
    def is_open(self) -> bool:
        return self._serving.is_alive()

    def close(self) -> None:
        """End the server; what the cell shows stands still from then on."""
        if self.is_open:
            self._server.shutdown()
            self._serving.join()
            self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _repr_html_(self) -> str:
        if not self.is_open:
            return "<p>This view was closed.</p>"
        url = html.escape(self.url)
        return (
            f'<iframe src="{url}" width="100%" height="{self._height}" style="border: 0" allowfullscreen></iframe>'
            f'<p><a href="{url}" target="_blank">In a window of its own</a></p>'
        )


def show(
    *layers: str, position: Vec | None = None, segments: Sequence[int] = (), height: int = HEIGHT, port: int = 0
) -> View:
    """Show layers, given by their paths or URLs, together; the last line of a cell displays them.

    `position` is where to look, in voxels of the first layer; `segments` are those that are selected.
    """
    from teravox.pipeline.view.look import look_at
    from teravox.pipeline.view.server import ViewServer

    class NotebookServer(ViewServer):
        """Ends with the process, also while a browser is connected."""

        daemon_threads = True

    where = None if position is None else (float(position[0]), float(position[1]), float(position[2]))
    return View(NotebookServer(look_at(layers, segments), port=port, position=where), height)
