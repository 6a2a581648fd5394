"""`teravox verify`: whether a layer is whole and sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.options import AsJson, EndpointUrl, Parallel, Quiet, Region
from teravox.cli.where_it_runs import refuse_beside_queue, refuse_without_sqs, typed_here
from teravox.pipeline.errors import BadInput
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import Layer, says

if TYPE_CHECKING:
    from teravox.pipeline.verification.look import Closeness, Look

PartName = Literal[
    "info", "ledger", "images", "pyramid", "meshes", "skeletons", "fragments", "spatial", "tables", "files"
]


class Verify(Command, frozen=True):
    """Say whether a layer is whole and sound, and repair it.

    It lists what is there and holds it against the info and the ledger beside the layer: every chunk of every mip,
    shards with their indices, meshes, skeletons, tables, and jobs that are not done. A sample of everything is
    decoded, and mips are made anew at sampled places. Nothing is written without --repair. The exit code is 0 if all
    is sound, and 1 if anything is missing or broken.

        teravox verify ./seg
        teravox verify ./seg --all --checksums --json
        teravox verify ./seg --repair -p 8

    --repair does those tasks again that make what is missing or broken, and verifies once more.
    """

    layer: Layer
    mip: Annotated[
        tuple[Annotated[int, Meta(ge=0)], ...], says("Mip to look at; may be given several times. Default: all mips.")
    ] = ()
    only: Annotated[
        tuple[PartName, ...],
        says(
            "Part to look at, of info, ledger, images, pyramid, meshes, skeletons, fragments, spatial, tables and files; may "
            "be given several times. Default: all that there is."
        ),
    ] = ()
    all: Annotated[bool, says("Decode everything, and make every mip anew everywhere, instead of a sample.")] = False
    sample: Annotated[
        Annotated[int, Meta(ge=0)], says("How many chunks of each mip, and objects of each part, to decode.")
    ] = 64
    seed: Annotated[int, says("Which ones are sampled; another number takes others.")] = 0
    checksums: Annotated[
        bool, says("Read every object that the ledger knows, and compare its CRC-32 with what was written.")
    ] = False
    fill_missing: Annotated[
        bool, says("Let chunks that are missing, and that no task is known to have written, count as background.")
    ] = False
    repair: Annotated[bool, says("Do again what makes the missing and the broken.")] = False
    queue: Annotated[
        str | None,
        says(
            "With --repair: queue to put the tasks into for workers: a folder, which is made if it is not there, or "
            "sqs://NAME. Default: they are done here and now.",
            form="queue",
        ),
    ] = None
    parallel: Parallel = 1
    limit: Annotated[int, Meta(ge=1), says("Most findings to print; JSON has all.")] = 100
    json: AsJson = False
    quiet: Quiet = False
    region: Region = None
    endpoint_url: EndpointUrl = None

    def run(self, call: Call) -> int:
        from teravox.cli.verification import repair, show, watch
        from teravox.pipeline.verification.verify import open_look, verify

        self._refuse_what_would_be_ignored(call)
        how = self._closeness()
        try:
            with watch(quiet=self.quiet or self.json) as progress:
                look = open_look(self.layer, how, call.registry)
                self._check_mips(look)
                verified = verify(look, self.only, progress)
            if self.repair and not verified.is_sound:
                return repair(self, look, verified, call)
        except KeyboardInterrupt:
            print("\nStopped. The same command begins anew.")
            return ExitCode.INTERRUPTED
        if self.json:
            print(msgspec.json.encode(verified).decode())
        else:
            show(verified, self.limit, quiet=self.quiet)
        return ExitCode.DONE if verified.is_sound else ExitCode.FAILED

    def _check_mips(self, look: Look) -> None:
        from teravox.pipeline.verification.images import mips_of

        try:
            mips_of(look)
        except BadInput as error:
            raise BadOption(f"--mip: {error}") from None

    def _closeness(self) -> Closeness:
        from teravox.pipeline.verification.look import Closeness

        return Closeness(
            mips=self.mip or None,
            sample=None if self.all else self.sample,
            seed=self.seed,
            checksums=self.checksums,
            fill_missing=self.fill_missing,
        )

    def _refuse_what_would_be_ignored(self, call: Call) -> None:
        typed = typed_here(call.given)
        if self.all and "sample" in typed:
            raise BadOption(f"{typed['sample']}: means nothing with --all, which decodes everything")
        if not self.repair:
            for name in ("queue", "parallel"):
                if name in typed:
                    raise BadOption(f"{typed[name]}: means nothing without --repair")
        refuse_beside_queue(typed, self.queue, ["parallel"])
        refuse_without_sqs(typed, self.queue)
        if self.repair and self.layer.startswith(("http://", "https://")):
            raise BadOption("--repair: a layer behind a web server can only be read; repair it where it lies")
