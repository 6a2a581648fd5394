"""`teravox skeleton convert`: skeletons as SWC files, and SWC files as skeletons."""

from __future__ import annotations

from typing import Annotated, Literal

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.options import Quiet
from teravox.pipeline.options import says


class Convert(Command, frozen=True):
    """Write skeletons as SWC files, or give a layer those of SWC files.

    A layer and labels of it, or no label for all, become files: LABEL.swc in a folder, or one file or stream of all trees.
    SWC knows only trees and a radius: loops are opened, which is said, and other attributes are left out. A label without a
    skeleton is named, the others are written, and the exit code is 1.

    SWC files, folders of them, or - for the standard input, and then a layer: it names the new skeletons when all of them
    are there. Each file is a label, by a line that teravox and navis write or else by its name.

        teravox skeleton convert ./seg 17 42 --output ./swc --units um
        teravox skeleton convert ./swc ./seg
    """

    what: Annotated[
        tuple[str, ...], says("LAYER [LABEL …], or FILE.swc … LAYER; folders of files, too.", positional=True)
    ]
    output: Annotated[
        str,
        says(
            "Folder for files LABEL.swc, which is made if it is not there; or a file that ends with .swc, or - for the "
            "standard output, for all trees."
        ),
    ] = "."
    units: Annotated[
        Literal["nm", "um"] | None,
        says(
            "Unit of the numbers in SWC: nanometres or micrometres. Default: nm for what is written, "
            "and what a file says for what is read."
        ),
    ] = None
    format: Annotated[
        Literal["sharded", "legacy"],
        says("Of what a layer is given. sharded: few large files; legacy: one file for each label."),
    ] = "sharded"
    dir: Annotated[str, says("Folder within the layer for what it is given; it gets an ending if it is in use.")] = (
        "skeleton"
    )
    quiet: Quiet = False

    def run(self, call: Call) -> int:
        if not self.what:
            raise BadOption("WHAT: name a layer, or SWC files and a layer")
        first, *rest = self.what
        is_outwards = all(word.isascii() and word.isdigit() for word in rest)
        foreign = ("format", "dir") if is_outwards else ("output",)
        for name in foreign:
            if name in call.given and call.given[name].by == "command line":
                way = "a layer becomes files" if is_outwards else "files become a layer's"
                raise BadOption(f"--{name}: means nothing where {way}; leave it out")
        if is_outwards:
            from teravox.cli.swc_out import write_files

            return write_files(first, list(map(int, rest)), self.output, self.units or "nm", quiet=self.quiet)
        from teravox.cli.swc_in import take_files

        *files, layer = self.what
        return take_files(files, layer, self.units, self.format, self.dir, quiet=self.quiet)
