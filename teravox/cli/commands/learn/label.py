"""`teravox learn label`: paint labels in the browser, and see what a classifier makes of them."""

from __future__ import annotations

from typing import Annotated

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.learning import (
    USUAL_SIGMAS,
    Features,
    Filters,
    Flat,
    MethodName,
    Sigmas,
    SupervoxelSize,
    choose_features,
    how_supervoxels,
    output_path,
)
from teravox.cli.serving import Browser, Port, serve, told_to_end
from teravox.kernels.learning.classes import Class, make_classes
from teravox.kernels.learning.selection import FILTERS
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.learning.wish import USUAL
from teravox.pipeline.options import Layer, Mip, says


class Label(Command, frozen=True):
    """Label an image in the browser, and see what a classifier makes of it.

    It opens a page with three slice views, brushes for the classes, and live update: after each stroke a classifier
    learns anew and shows the classes of what is seen, and where it is unsure. Labels are saved as they are painted, in
    a layer beside the image. Only that layer is written. It prints the URL, and ends with Ctrl-C.

        teravox learn label ./em ./labels --classes membrane,inside

    H on the page lists the keys.
    """

    image: Layer
    labels: Annotated[
        str,
        says("Layer of labels: a new one, or one to go on with.", form="layer", positional=True),
    ]
    classes: Annotated[
        tuple[str, ...],
        says(
            "Names of the classes, like membrane,inside. Needed for a new layer; of one that is there, more may follow."
        ),
    ] = ()
    mip: Mip = 0
    filters: Filters = FILTERS
    sigmas: Sigmas = USUAL_SIGMAS
    flat: Flat = False
    features: Features = None
    supervoxels: SupervoxelSize = None
    method: MethodName = USUAL.method
    model_output: Annotated[
        str | None, says("File for the page's button that saves a model, as NAME.model.", form="path")
    ] = None
    show: Annotated[
        tuple[str, ...], says("More layers for the 3-D view beside the slices, such as a prediction.", form="layer")
    ] = ()
    browser: Browser = True
    port: Port = None

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        from teravox.pipeline.labelling.label_server import LabelServer
        from teravox.pipeline.labelling.session import LabelSession
        from teravox.pipeline.labelling.session_lock import SessionLock
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.learning.labels import create_labels
        from teravox.pipeline.storage.open import open_store
        from teravox.pipeline.view.look import look_at

        classes, model = self._classes(), self._model()
        selection = choose_features(self.filters, self.sigmas, self.features, flat=self.flat)
        image = OpenLayer.open(self.image, fresh=True)
        how = how_supervoxels(self.supervoxels, image, self.mip)
        more = look_at(self.show)
        SessionLock(open_store(self.labels)).refuse_taken()
        labels = create_labels(image, self.mip, self.labels, classes)
        with told_to_end() as told:
            session = LabelSession(
                image, labels, selection, supervoxels=how, wish=USUAL._replace(method=self.method), model_output=model
            )
            try:
                with LabelServer(session, more=more, port=self.port or 0) as server:
                    advice = "Labels are saved as they are painted. Ctrl-C ends it."
                    serve(server, told, browser=self.browser, advice=advice)
            finally:
                session.close()
        return ExitCode.DONE

    def _classes(self) -> tuple[Class, ...]:
        try:
            return make_classes(self.classes)
        except ValueError as error:
            raise BadOption(f"--classes: {error}") from None

    def _model(self) -> str | None:
        """Where a model is saved to."""
        if self.model_output is None:
            return None
        from teravox.kernels.learning.model_file import SUFFIX

        return str(output_path(self.model_output, SUFFIX, "by which a model is known", "--model-output"))
