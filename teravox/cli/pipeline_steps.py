"""The steps of a pipeline file with their options read: what each will do, and its jobs when they can be made."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.cli.given import Given, build
from teravox.cli.parse import did_you_mean
from teravox.cli.run_kind import HowItIsAsked, HowItIsRun
from teravox.cli.stages import StagedCommand
from teravox.cli.toml_values import as_typed
from teravox.pipeline.errors import BadUsage, TeravoxError
from teravox.pipeline.job import AnyJob, Job
from teravox.pipeline.pipelines.pipeline import Pipeline, PipelineStep

if TYPE_CHECKING:
    from teravox.cli.catalog import Catalog
    from teravox.cli.fields import Field
    from teravox.pipeline.registry import Registry
    from teravox.pipeline.stages import Stage

_OF_RUN = frozenset({*HowItIsRun.__struct_encode_fields__, *HowItIsAsked.__struct_encode_fields__})


class MadeStep:
    """The jobs of a step, and what else its command does."""

    def __init__(self, said: AnyJob | StagedCommand, kind: str) -> None:
        from teravox.pipeline.stages import Stage

        self._command = said if isinstance(said, StagedCommand) else None
        self.stages: Sequence[Stage] = said.stages() if isinstance(said, StagedCommand) else [Stage(kind, said)]

    def check(self) -> None:
        if self._command is not None:
            self._command.check(self.stages)

    def is_overwritten(self) -> bool:
        if self._command is not None:
            return self._command.is_overwritten(self.stages)
        from teravox.pipeline.stitching.rewriting import KIND, is_overwritten

        (stage,) = self.stages
        return stage.kind == KIND and is_overwritten(stage.job)

    def tidy(self) -> None:
        if self._command is not None:
            self._command.tidy(self.stages)

    def report(self) -> str:
        """What came of it, in a few lines; empty where there is nothing to say."""
        if self._command is not None:
            return self._command.report(self.stages)
        return self.stages[-1].job.report() or ""


class OpenStep:
    """A step whose options were found to be right, as far as that can be known before it begins."""

    def __init__(self, step: PipelineStep, path: str, struct: type[msgspec.Struct], fields: Sequence[Field]) -> None:
        self.name = step.name
        self.do = step.do
        self.after = step.after
        self.options = step.options
        self._where = f"{path}: step {step.name!r}"
        self._struct = struct
        self._fields = {field.name: field for field in fields}
        self._types: dict[str, Any] = {info.encode_name: info.type for info in msgspec.structs.fields(struct)}
        self._check_names()

    def make_stages(self) -> list[Stage]:
        """The jobs as they are planned; raises TeravoxError where a layer that they need is not there yet."""
        return list(MadeStep(self._said(), self.do).stages)

    def make(self) -> MadeStep:
        """The jobs, and what else the step does when they are done."""
        said = self._said()
        return MadeStep(said.settled() if isinstance(said, Job) else said, self.do)

    def _said(self) -> AnyJob | StagedCommand:
        said = self.read()
        assert isinstance(said, Job | StagedCommand)  # nothing else is opened
        return said

    def read(self, later: Sequence[str] = ()) -> msgspec.Struct | None:
        """The declaration with its options; None if a file that lies at one of the `later` places is not there yet."""
        given: dict[str, Given] = {}
        values: dict[str, Any] = {}
        for name, value in self.options.items():
            try:
                text = as_typed(self._types[name], value)
                given[name] = Given(text, name, "config")
                values[name] = self._fields[name].writing.parse(text)
            except ValueError as error:
                if isinstance(value, str) and _comes_later(value, later):
                    return None
                raise BadUsage(f"{self._where}: {name}: {error}") from None
        try:
            return build(self._struct, list(self._fields.values()), values, given)
        except TeravoxError as error:
            raise BadUsage(f"{self._where}: {error}") from None

    def places(self) -> Iterator[str]:
        """The paths that its options name: later steps may find files there."""
        for value in self.options.values():
            if isinstance(value, str) and value:
                yield os.path.abspath(os.path.expanduser(value.removeprefix("file://")))  # noqa: PTH100, PTH111 - may be a URL

    def _check_names(self) -> None:
        for name in self.options:
            if name in self._fields:
                continue
            if name in _OF_RUN or name in StagedCommand.__struct_encode_fields__:
                raise BadUsage(f"{self._where}: {name}: this is said to `teravox run`, for all steps")
            near = did_you_mean(name.replace("-", "_"), self._fields)
            raise BadUsage(f"{self._where}: {name}: {self.do} has no such option{near}")
        for name, field in self._fields.items():
            if field.is_required and name not in self.options:
                raise BadUsage(f"{self._where}: {name} is missing: {field.description}")


def open_steps(pipeline: Pipeline, catalog: Catalog, registry: Registry) -> list[OpenStep]:
    """The steps, checked as far as that can be done before the first of them; BadUsage names step and option."""
    opened = [_open(step, pipeline.path, catalog, registry) for step in pipeline.steps]
    by_name: dict[str, OpenStep] = {}
    for step in opened:
        step.read([place for name in _all_before(step, by_name) for place in by_name[name].places()])
        by_name[step.name] = step
    return opened


def _open(step: PipelineStep, path: str, catalog: Catalog, registry: Registry) -> OpenStep:
    where = f"{path}: step {step.name!r}"
    if step.do not in set(catalog):
        text = f"{where}: there is no kind or command {step.do!r}{did_you_mean(step.do, catalog)}"
        if "." in step.do or not registry.plugins:
            text += "; a kind of your own needs --plugin on the command line"
        raise BadUsage(text)
    declared = catalog.open(step.do)
    if not (declared.is_kind or declared.has_stages):
        raise BadUsage(
            f"{where}: teravox {step.do} cannot be a step; a step is a kind of job (see: teravox kinds), "
            "or a command of several stages such as stitch auto"
        )
    return OpenStep(step, path, declared.struct, declared.sections[0].fields)


def _all_before(step: OpenStep, by_name: Mapping[str, OpenStep]) -> set[str]:
    found: set[str] = set()
    left = list(step.after)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += by_name[name].after
    return found


def _comes_later(text: str, places: Sequence[str]) -> bool:
    path = os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111 - nothing is followed
    return not os.path.lexists(path) and any(path.startswith(f"{place}/") or path == place for place in places)
