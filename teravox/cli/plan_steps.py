"""What is to be planned: the stages of a command line, or the steps of a pipeline file."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from teravox.cli.command import Call
from teravox.cli.errors import BadOption
from teravox.cli.plan_words import fields_of_command, refuse_ignored, words_in_front
from teravox.cli.stages import StagedCommand
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.stages import Stage

if TYPE_CHECKING:
    from teravox.cli.catalog import Catalog
    from teravox.pipeline.planning.planner import ToPlan


def find_steps(command: str, settings: Mapping[str, str], call: Call) -> Iterator[ToPlan]:
    """The steps that a command line comes to, or a pipeline file."""
    from teravox.cli.catalog import Catalog

    words = shlex.split(command)
    catalog = Catalog(call.registry)
    name = catalog.longest_match(words_in_front(words))
    if name is not None:
        if settings:
            raise BadOption("--set: means nothing without a pipeline file")
        yield _of_command(name, words[len(name.split(" ")) :], catalog, call)
    elif len(words) == 1 and (words[0].endswith(".toml") or Path(words[0]).is_file()):
        yield from _of_file(words[0], settings, catalog, call)
    else:
        raise catalog.unknown(words_in_front(words))


def _of_command(name: str, words: Sequence[str], catalog: Catalog, call: Call) -> ToPlan:
    from teravox.cli.config import load_config
    from teravox.cli.general import take_general
    from teravox.cli.given import build, gather, read_values
    from teravox.pipeline.planning.planner import ToPlan

    refuse_ignored(words)
    fields = fields_of_command(name, catalog)
    config = load_config(take_general(shlex.split(call.command)[1:], os.environ).config)
    try:
        given = gather(fields, words, os.environ, config.options, config.path)
        struct = build(catalog.open(name).struct, fields, read_values(fields, given), given)
    except BadOption as error:
        raise BadOption(str(error), name) from None
    return ToPlan(name, name, lambda: stages_of(name, struct))


def _of_file(path: str, settings: Mapping[str, str], catalog: Catalog, call: Call) -> Iterator[ToPlan]:
    from teravox.cli.pipeline_steps import open_steps
    from teravox.pipeline.pipelines.read import read_pipeline
    from teravox.pipeline.planning.planner import ToPlan

    pipeline = read_pipeline(path, settings)
    for said, step in zip(pipeline.steps, open_steps(pipeline, catalog, call.registry), strict=True):
        yield ToPlan(said.name, said.do, step.make_stages, said.after, f"{path}: step {said.name!r}: ")


def stages_of(name: str, struct: msgspec.Struct) -> Sequence[Stage]:
    """The jobs that a command does one after another."""
    if isinstance(struct, Job):
        return [Stage(name, struct)]
    if isinstance(struct, StagedCommand):
        return struct.stages()
    raise BadUsage(f"{name} makes no tasks, so there is nothing to plan; plan a command that has --queue")
