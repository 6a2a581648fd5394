"""`teravox view`: layers in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.serving import Browser, Port, serve, told_to_end
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import says

if TYPE_CHECKING:
    from teravox.pipeline.view.scene import Scene

SCENE = ".json"  # how the names of scenes end


class View(Command, frozen=True):
    """Show layers together in the browser, with Neuroglancer.

    It serves the layers and the Neuroglancer client from this machine to this machine; the internet is not needed.
    Layers may be local or remote, and are only read. Compressed files and encodings that Neuroglancer does not know,
    such as crackle, are decoded on the way. It prints the URL, and ends with Ctrl-C.

        teravox view ./em ./seg
        teravox view ./brain/scene.json

    A scene is what a pipeline file leaves: a Neuroglancer state whose layers are served where they lie.
    """

    layer: Annotated[
        tuple[str, ...],
        says(
            "Path or URL of a Precomputed layer, one or several; or of one scene, NAME.json.",
            form="layer",
            positional=True,
        ),
    ]
    browser: Browser = True
    port: Port = None
    position: Annotated[
        tuple[float, float, float] | None,
        says("Where to look, in voxels of the first layer. Default: the middle of all."),
    ] = None
    segments: Annotated[
        tuple[Annotated[int, Meta(gt=0)], ...],
        says("Segments to select. Default: where there are meshes or skeletons, some large ones."),
    ] = ()

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        from teravox.pipeline.view.look import look_at
        from teravox.pipeline.view.server import ViewServer

        scene = self._scene()
        shown = look_at(self.layer if scene is None else scene.layers, self.segments)
        with (
            told_to_end() as told,
            ViewServer(shown, port=self.port or 0, position=self.position, scene=scene) as server,
        ):
            serve(server, told, browser=self.browser, advice="Ctrl-C ends it.")
        return ExitCode.DONE

    def _scene(self) -> Scene | None:
        """The scene that is named in place of layers."""
        if not any(one.endswith(SCENE) for one in self.layer):
            return None
        from teravox.pipeline.view.scene import read_scene

        for what, is_given in (
            ("LAYER: a scene names its layers, so it stands alone", len(self.layer) > 1),
            ("--position: a scene says where to look", self.position is not None),
            ("--segments: a scene says what is selected", bool(self.segments)),
        ):
            if is_given:
                raise BadOption(what)
        return read_scene(self.layer[0])
