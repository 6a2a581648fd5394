"""Gives a layer the skeletons of SWC files, or of the standard input."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from teravox.cli.errors import BadOption
from teravox.cli.progress import show_progress
from teravox.pipeline.errors import BadInput
from teravox.pipeline.exit_codes import ExitCode

if TYPE_CHECKING:
    from teravox.pipeline.skeletons.skeleton import Skeleton
    from teravox.pipeline.skeletons.skeleton_info import Form
    from teravox.pipeline.skeletons.swc import Unit

HERE = "-"  # stands for the standard input
ENDINGS = (".swc", ".swc.gz")


def take_files(names: Sequence[str], layer: str, unit: Unit | None, form: Form, dir: str, *, quiet: bool) -> int:
    """Write the skeletons of files into a layer; the exit code."""
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.layers.provenance import record_processing
    from teravox.pipeline.skeletons.taking_in import take_in

    target = OpenLayer.open(layer, fresh=True)
    if target.info.type != "segmentation":
        raise BadInput(f"{target.url} is no segmentation, so it has no skeletons")
    files = [file for name in names for file in _files(name)]
    with show_progress("skeleton convert", lambda: len(files), quiet=quiet) as progress:
        taken = take_in(target, _read_all(files, unit, progress), form, dir)
    how = {"what": list(names), "units": unit, "format": form, "dir": dir}
    record_processing(target.store, "skeleton convert", how)
    if not quiet:
        said = "1 skeleton" if taken.number == 1 else f"{taken.number:,} skeletons"
        print(f"{said} written to {target.url}/{taken.folder}.")
    return ExitCode.DONE


def _files(name: str) -> list[str]:
    """A file that was named, or all in a folder."""
    path = Path(name)
    if not path.is_dir():
        if name != HERE and not name.endswith(ENDINGS):
            raise BadOption(f"WHAT: {name} is no folder, and does not end with {' or '.join(ENDINGS)}")
        return [name]
    found = sorted(str(file) for file in path.iterdir() if file.name.endswith(ENDINGS))
    if not found:
        raise BadOption(f"WHAT: there are no files {ENDINGS[0]} in {name}")
    return found


def _read_all(
    files: Sequence[str], unit: Unit | None, progress: Callable[[int], None]
) -> Iterator[tuple[int, Skeleton]]:
    from teravox.pipeline.skeletons.swc_reading import read_swc

    for name in files:
        said = "the standard input" if name == HERE else name
        with _open(name) as lines:
            is_empty = True
            for label, skeleton in read_swc(lines, said, unit):
                is_empty = False
                yield _label_of(name) if label is None else label, skeleton
        if is_empty:
            raise BadInput(f"{said} has no nodes")
        progress(1)


@contextmanager
def _open(name: str) -> Iterator[IO[str]]:
    """The lines of a file."""
    from teravox.pipeline.storage.errno_sentences import explain

    if name == HERE:
        yield io.TextIOWrapper(sys.stdin.buffer, "utf-8", "replace")
        return
    try:
        opened = gzip.open if name.endswith(".gz") else open
        with opened(name, "rt", encoding="utf-8", errors="replace") as lines:
            yield lines
    except (EOFError, gzip.BadGzipFile) as error:
        raise BadInput(f"{name} cannot be read: {error}. It was damaged or cut off") from None
    except OSError as error:
        raise explain(error, "read", name) from error


def _label_of(name: str) -> int:
    """The label that the name of a file says."""
    stem = Path(name).name.removesuffix(".gz").removesuffix(ENDINGS[0])
    if not (stem.isascii() and stem.isdigit() and 0 < int(stem) < 2**64):
        raise BadInput(
            f"{name} does not say its label: name it LABEL{ENDINGS[0]}, or let a line before its nodes say "
            '# Meta: {"id": "LABEL"}'
        )
    return int(stem)
