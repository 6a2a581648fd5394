"""Files that go with a job, such as trained models: known by what they hold, copied into DEST, and read there by workers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.allowed import is_allowed, say_allowed
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.segmentation.plan_file import FOLDER
from teravox.pipeline.segmentation.steps import Json, Step
from teravox.pipeline.storage.open import open_store

if TYPE_CHECKING:
    from teravox.kernels.segmentation.step_file import StepFile
    from teravox.pipeline.segmentation.step_functions import BoundStep, Declared
    from teravox.pipeline.store import Store

MODELS = f"{FOLDER}/models"  # in DEST, by the hash of what they hold


def is_file(kind: Any) -> bool:  # Any: a type, as annotations hold them
    """Whether a parameter of this type is a file that goes with the job."""
    return getattr(kind, "__name__", "") == "StepFile"


def know_files(step: Step, declared: Declared, option: str) -> Step:
    """The step with its files as they are now, so that with other contents it is another job."""
    try:
        known = {
            name: msgspec.to_builtins(KnownFile.at(_whole(value, step, name)))
            for name, value in step.parameters.items()
            if isinstance(value, str) and name in declared.parameters and is_file(declared.parameters[name].kind)
        }
    except BadUsage as error:
        raise BadUsage(f"{option}: {error}") from None
    return Step(step.name, step.parameters | known) if known else step


def open_file(value: Json, dest: str | None, step: Step, name: str) -> StepFile:
    """The file that a parameter names: by its path, or by path and hash and then wherever it is found."""
    from teravox.kernels.segmentation.step_file import StepFile

    if isinstance(value, str):
        path = _whole(value, step, name)
        known = KnownFile.at(path)
        return StepFile(path, known.sha256, known.read)
    known = msgspec.convert(value, KnownFile)
    return StepFile(known.path, known.sha256, lambda: _find(known, dest))


def copy_files(steps: list[BoundStep], dest: Store) -> None:
    """Put the files of steps into DEST; the same again changes nothing."""
    from teravox.kernels.segmentation.step_file import StepFile

    for step in steps:
        for value in step.parameters.values():
            if isinstance(value, StepFile):
                key = f"{MODELS}/{value.sha256}"
                if not dest.exists([key])[key]:
                    dest.put(key, value.read())


def _find(known: KnownFile, dest: str | None) -> bytes:
    """What a file holds, from DEST, or where it was when the job was made."""
    from teravox.kernels.segmentation.step_file import hash_of

    key = f"{MODELS}/{known.sha256}"
    data = None if dest is None else open_store(dest).get(key)
    if data is not None:
        if hash_of(data) != known.sha256:
            raise BadInput(f"{dest}/{key} is damaged. Remove it, and make the job anew")
        return data
    if is_allowed(known.path) and Path(known.path).is_file():
        return known.read()
    raise BadInput(f"{known.path} is neither there nor copied to {dest}/{key}: make the job anew where it is")


def _whole(path: str, step: Step, name: str) -> str:
    """A path that begins somewhere, and may be read."""
    if not Path(path).is_absolute():
        raise BadUsage(
            f"{name} of the step {step.name} is {path}, which begins nowhere: write ./{path} for a file of this folder"
        )
    if not is_allowed(path):
        raise BadUsage(f"{name} of the step {step.name} is {path}, {say_allowed()}")
    return path
