"""Serves layers and the Neuroglancer client to a browser on this machine, to be read and never written."""

from __future__ import annotations

from collections.abc import Sequence

from teravox.pipeline.view.answer import Answer
from teravox.pipeline.view.client import find_client
from teravox.pipeline.view.loopback import LoopbackServer, Request, Stream
from teravox.pipeline.view.scene import Scene, with_sources
from teravox.pipeline.view.served_layers import ServedLayers, source_of
from teravox.pipeline.view.state import Position, Shown, as_fragment, make_state


class ViewServer(LoopbackServer):
    """Layers in the client, in the state that shows them."""

    def __init__(
        self, shown: Sequence[Shown], *, port: int = 0, position: Position | None = None, scene: Scene | None = None
    ) -> None:
        self.shown = tuple(shown)
        self.position = position
        self.scene = scene
        self._layers = ServedLayers([one.layer for one in shown], find_client())
        super().__init__(port)

    def data_url(self, number: int) -> str:
        """Where a layer is served."""
        return source_of(self.address, self.token, number)

    def page(self, host: str) -> str:
        """The path of the client's page with its state; layers are asked for under the name that the browser used."""
        sources = self._layers.sources(f"http://{host}", self.token)
        if self.scene is None:
            return f"/v/{self.token}/{as_fragment(make_state(self.shown, sources, self.position))}"
        return f"/v/{self.token}/{as_fragment(with_sources(self.scene, sources))}"

    def respond(self, request: Request) -> Answer | Stream | None:
        return self._layers.respond(request, self)
