"""`teravox mesh get`: meshes as files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.say import plain
from teravox.pipeline.errors import BadInput
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.meshes.files.formats import ENCODERS, FORMATS, Format
from teravox.pipeline.options import Layer, says

if TYPE_CHECKING:
    from teravox.pipeline.meshes.mesh_source import MeshSource

AT_ONCE = 4  # meshes that are fetched side by side
HERE = "-"  # stands for the standard output


class Get(Command, frozen=True):
    """Write meshes of a layer as files: ply, obj, stl or glb.

    It reads what the layer's info names, in any form of Neuroglancer, and joins the fragments of a mesh: vertices that
    lie in several of them become one. A label without a mesh is named, the others are written, and the exit code is 1.

        teravox mesh get ./seg 17 42 --format obj --output ./meshes
    """

    layer: Layer
    label: Annotated[
        tuple[Annotated[int, Meta(gt=0)], ...],
        says("Labels whose meshes are wanted.", positional=True),
    ]
    format: Annotated[Format | None, says("Format of the files. Default: by the ending of --output, else ply.")] = None
    lod: Annotated[int, Meta(ge=0), says("Level of detail; 0 is the finest.")] = 0
    units: Annotated[Literal["nm", "um"], says("Unit of the coordinates: nanometres or micrometres.")] = "nm"
    output: Annotated[
        str,
        says(
            "Folder for files LABEL.ply, which is made if it is not there; or a file that ends with a format, or - for "
            "the standard output, for a single label."
        ),
    ] = "."

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        from teravox.pipeline.layers.layer import Layer as OpenLayer
        from teravox.pipeline.meshes.reading import open_meshes
        from teravox.pipeline.storage.side_by_side import side_by_side

        targets = self._targets()
        source = open_meshes(OpenLayer.open(self.layer, fresh=True))
        written = dict(side_by_side(lambda target: (target, self._write(source, target)), targets, AT_ONCE))
        failures = [why for target in targets if (why := written[target]) is not None]
        for why in failures:
            print(f"teravox: {plain(why)}", file=sys.stderr)
        if self.output != HERE:
            number = len(targets) - len(failures)
            print(f"{'1 mesh' if number == 1 else f'{number:,} meshes'} written to {Path(self.output).absolute()}.")
        return ExitCode.FAILED if failures else ExitCode.DONE

    def _targets(self) -> list[_Target]:
        """What goes where; BadOption where that cannot be meant."""
        labels = list(dict.fromkeys(self.label))
        if not labels:
            raise BadOption("LABEL: name at least one")
        ending = Path(self.output).suffix.removeprefix(".").lower()
        by_ending = next((format for format in FORMATS if format == ending), None)
        is_file = self.output == HERE or (by_ending is not None and not Path(self.output).is_dir())
        if is_file and len(labels) > 1:
            raise BadOption(f"--output: {self.output} holds a single mesh, and {len(labels)} are wanted; name a folder")
        if is_file and by_ending not in (None, self.format or by_ending):
            raise BadOption(f"--output: {self.output} does not end with {self.format}, as --format says; leave one out")
        format = self.format or (is_file and by_ending) or "ply"
        if is_file:
            return [_Target(labels[0], format, None if self.output == HERE else Path(self.output).absolute())]
        return [_Target(label, format, Path(self.output, f"{label}.{format}").absolute()) for label in labels]

    def _write(self, source: MeshSource, target: _Target) -> str | None:
        """Write one mesh; why not, where it cannot be done."""
        from teravox.pipeline.meshes.mesh import Mesh
        from teravox.pipeline.storage.atomic_write import write_atomic
        from teravox.pipeline.storage.errno_sentences import explain

        try:
            mesh = source.get(target.label, self.lod)
            levels = source.levels(target.label) if mesh is None else 0
        except BadInput as error:
            return str(error)
        if mesh is None:
            if not levels:
                return f"label {target.label} has no mesh in {source.url}"
            there = "only level 0" if levels == 1 else f"levels 0 to {levels - 1}"
            return f"label {target.label} has {there} in {source.url}, and --lod asks for {self.lod}"
        if self.units == "um":
            mesh = Mesh(mesh.vertices / 1000, mesh.faces)
        data = ENCODERS[target.format](mesh, self.units)
        if target.file is None:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            return None
        try:
            write_atomic(str(target.file), data)
        except OSError as error:
            raise explain(error, "write", str(target.file)) from error
        return None


class _Target(NamedTuple):
    label: int
    format: Format
    file: Path | None  # the standard output
