"""Serves the page for labels, what it shows, and what it asks to be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from teravox.pipeline.errors import BadInput, BadUsage, TeravoxError
from teravox.pipeline.labelling.page_state import page_state
from teravox.pipeline.labelling.pictures import Look, draw_image, draw_labels, draw_outlines
from teravox.pipeline.labelling.planes import Tile, parse_tile
from teravox.pipeline.labelling.session import LabelSession
from teravox.pipeline.labelling.strokes import Stroke
from teravox.pipeline.view.answer import Answer
from teravox.pipeline.view.client import CONTENT_TYPES, find_client
from teravox.pipeline.view.loopback import JSON, LoopbackServer, Request, Stream
from teravox.pipeline.view.served_layers import ServedLayers
from teravox.pipeline.view.state import Position, Shown, as_fragment, make_state

PAGE = files("teravox.pipeline.labelling") / "page"
NAMES = frozenset(
    {
        *("index.html", "page.css"),
        *(f"{name}.js" for name in ("brush", "look", "page", "server", "strokes", "tiles", "view")),
    }
)
POLICY = (  # nothing comes from elsewhere, and nobody else shows this page in a frame
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MOST_SENT = 4 << 20  # bytes of one stroke
Wish = TypeVar("Wish")


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tiles that a tab shows, and whether it wants to have them predicted."""

    tiles: Annotated[tuple[Annotated[str, Meta(max_length=200)], ...], Meta(max_length=1000)]
    live: bool


class NewClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(max_length=200)]


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Along which axis a slice is to be suggested."""

    axis: Literal["auto", "x", "y", "z"]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wish that needs no words."""


class LabelServer(LoopbackServer):
    """The page at `/label/SECRET/`, with image, labels and what was learnt behind it; only labels can be changed."""

    most_sent = MOST_SENT

    def __init__(self, session: LabelSession, *, more: Sequence[Shown] = (), port: int = 0) -> None:
        self.session = session
        self.client = _client()
        self._more = tuple(more)  # layers that the client shows, too
        layers = [session.image, session.labels.layer, *(one.layer for one in more)]
        self._layers = ServedLayers(layers, self.client)
        self._state = page_state(session, has_client=self.client is not None)
        super().__init__(port)

    def page(self, host: str) -> str:  # noqa: ARG002 - the page asks under the name that it came from
        return f"/label/{self.token}/"

    def respond(self, request: Request) -> Answer | Stream | None:
        try:
            if request.body is not None:
                return self._do(request.first, request.body)
            return self._show(request)
        except TeravoxError as error:
            return Answer.saying(HTTPStatus.BAD_REQUEST, str(error))

    def server_close(self) -> None:
        self.session.news.close()
        super().server_close()

    def _show(self, request: Request) -> Answer | Stream | None:
        rest = request.rest or ""
        if request.first == "label":
            return None if request.rest is None else _file(rest or "index.html")
        if request.first == "state":
            session = self.session
            return _as_json({**self._state, "classes": session.classes, "labels": session.now()})
        if request.first == "tile":
            return self._tile(rest.split("/"), request.query)
        if request.first == "news":
            return Stream(self.session.news.listen)
        if request.first == "space":
            return Answer(HTTPStatus.FOUND, b"", {"Location": self._space(request)})
        return self._layers.respond(request, self)

    def _tile(self, words: list[str], query: Mapping[str, str]) -> Answer:
        session = self.session
        what, tile = words[0], parse_tile(words[1:])
        if not session.mip <= tile.mip < len(session.image.info.scales):
            raise BadInput(f"no mip {tile.mip} is shown here")
        headers = {"Content-Type": "application/octet-stream"}
        if what == "image":
            return Answer(HTTPStatus.OK, draw_image(session.chunks, tile, self._look(query)), headers)
        if what == "labels":
            version = str(session.painting.version)  # of before: what comes between is asked for once more
            drawn = draw_labels(session.painting, tile, session.image.scale(tile.mip))
            return Answer(HTTPStatus.OK, drawn, {**headers, "X-Version": version})
        if what == "prediction":
            found = session.live.predicted(tile)
            if found is None:
                return Answer(HTTPStatus.NO_CONTENT)
            return Answer(HTTPStatus.OK, found[1].tobytes(), {**headers, "X-Version": str(found[0])})
        if what == "outlines" and session.regions is not None and tile.mip == session.mip:
            drawn = draw_outlines(session.regions, tile, session.image.scale(tile.mip))
            return Answer(HTTPStatus.OK, drawn, headers)
        raise BadInput(f"there are no tiles of {what[:100]}")

    def _look(self, query: Mapping[str, str]) -> Look:
        try:
            look = msgspec.convert(dict(query), Look, strict=False)
        except msgspec.ValidationError as error:
            raise BadInput(f"nobody can look so: {error}") from None
        if not 0 <= look.channel < self.session.image.info.num_channels:
            raise BadInput(f"there is no channel {look.channel}")
        return look

    def _space(self, request: Request) -> str:
        """The client with image and labels, at a place in voxels of the image's mip 0."""
        session = self.session
        try:
            x, y, z = (float(request.query[axis]) for axis in "xyz")
        except (KeyError, ValueError):
            raise BadInput("a place is x, y and z") from None
        position: Position = (x, y, z)
        low, high = self._state["contrast"][0]
        names = ("image", "labels")
        shown = [
            Shown(session.image, names[0], contrast=(low, high)),
            Shown(session.labels.layer, names[1], segments=tuple(range(1, len(session.classes) + 1))),
            *(msgspec.structs.replace(one, name=f"{one.name} (shown)") for one in self._more),
        ]
        state = make_state(shown, self._layers.sources(f"http://{request.host}", self.token), position)
        state["layout"] = "3d"  # slices are beside it already
        for layer in state["layers"]:
            if layer["name"] == names[1]:
                layer["segmentColors"] = {str(n): one.color for n, one in enumerate(session.classes, 1)}
        return f"/v/{self.token}/{as_fragment(state)}"

    def _do(self, what: str, body: bytes) -> Answer | None:
        session = self.session
        if what == "paint":
            return _as_json(session.paint(_parse(body, Stroke)))
        if what == "seen":
            self._see(_parse(body, Seen))
            return _as_json(None)
        if what == "class":
            return _as_json(session.add_class(_parse(body, NewClass).name))
        if what == "suggest":
            session.suggest(_parse(body, Wanted).axis)
            return _as_json(None)
        deed = {"undo": session.undo, "redo": session.redo, "model": session.save_model}.get(what)
        if deed is None:
            return None
        _parse(body, Nothing)
        return _as_json(deed())

    def _see(self, seen: Seen) -> None:
        tiles: list[Tile] = [parse_tile(tile.split("/")) for tile in seen.tiles]
        self.session.live.want([tile for tile in tiles if tile.mip == self.session.mip], is_on=seen.live)


def _client() -> Path | None:
    """The folder of the Neuroglancer client, which labelling can do without."""
    try:
        return find_client()
    except BadUsage:
        return None


def _file(name: str) -> Answer | None:
    if name not in NAMES:
        return None
    kind = CONTENT_TYPES[PurePath(name).suffix]
    return Answer(HTTPStatus.OK, (PAGE / name).read_bytes(), {"Content-Type": kind, "Content-Security-Policy": POLICY})


def _parse(said: bytes, wish: type[Wish]) -> Wish:
    try:
        return msgspec.json.decode(said, type=wish)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"this is not understood: {error}") from None


def _as_json(said: object) -> Answer:
    return Answer(HTTPStatus.OK, msgspec.json.encode(said), {"Content-Type": JSON})
