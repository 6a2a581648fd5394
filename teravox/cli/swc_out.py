"""Writes skeletons of a layer as SWC, to files or to the standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from teravox.cli.errors import BadOption
from teravox.cli.progress import show_progress
from teravox.cli.say import plain
from teravox.pipeline.exit_codes import ExitCode

if TYPE_CHECKING:
    from teravox.pipeline.skeletons.skeleton_source import SkeletonSource
    from teravox.pipeline.skeletons.swc import Unit

HERE = "-"  # stands for the standard output
ENDING = ".swc"

Text = tuple[int, bytes]  # a label and its SWC


def write_files(layer: str, labels: Sequence[int], output: str, unit: Unit, *, quiet: bool) -> int:
    """Write the skeletons of these labels, or of all where none is named; the exit code."""
    from teravox.pipeline.layers.layer import Layer as OpenLayer
    from teravox.pipeline.skeletons.skeleton_source import SkeletonSource

    if not all(0 < label < 2**64 for label in labels):
        raise BadOption(f"WHAT: a label is a number from 1 to {2**64 - 1}")
    source = SkeletonSource.open(OpenLayer.open(layer, fresh=True))
    is_single = output == HERE or (output.endswith(ENDING) and not Path(output).is_dir())
    missing = dict.fromkeys(labels)
    count = len(missing)
    with show_progress("skeleton convert", lambda: count or sum(1 for _ in source.labels()), quiet=quiet) as progress:
        number = _write(_texts(source, missing, unit, progress, is_single=is_single), output, is_single=is_single)
    for label in missing:
        print(f"teravox: {plain(f'label {label} has no skeleton in {source.url}')}", file=sys.stderr)
    if output != HERE and not quiet:
        said = "1 skeleton" if number == 1 else f"{number:,} skeletons"
        print(f"{said} written to {Path(output).absolute()}.")
    return ExitCode.FAILED if missing else ExitCode.DONE


def _texts(
    source: SkeletonSource,
    wanted: dict[int, None],
    unit: Unit,
    progress: Callable[[int], None],
    *,
    is_single: bool,
) -> Iterator[Text]:
    """Labels and their SWC; a label that was found is no longer among the wanted ones. In one text no node is there twice."""
    from teravox.pipeline.skeletons.swc import encode_swc

    first = 1
    for label, skeleton in source.each(list(wanted) or None):
        wanted.pop(label, None)
        written = encode_swc(label, skeleton, unit, first)
        if written.opened:
            loops = "a loop was opened" if written.opened == 1 else f"{written.opened:,} loops were opened"
            print(f"teravox: label {label}: {loops}, since SWC knows only trees", file=sys.stderr)
        if is_single:
            first += written.nodes
        yield label, written.text
        progress(1)


def _write(texts: Iterator[Text], output: str, *, is_single: bool) -> int:
    """Write SWC where it is wanted; how many labels there were."""
    from teravox.pipeline.storage.atomic_write import write_atomic, write_parts
    from teravox.pipeline.storage.errno_sentences import explain

    number = 0

    def count() -> Iterator[bytes]:
        nonlocal number
        for _, text in texts:
            number += 1
            yield text

    if output == HERE:
        for text in count():
            sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
        return number
    try:
        if is_single:
            write_parts(str(Path(output).absolute()), count())
            return number
        for label, text in texts:
            number += 1
            write_atomic(str(Path(output, f"{label}{ENDING}").absolute()), text)
    except OSError as error:
        raise explain(error, "write", output) from error
    return number
