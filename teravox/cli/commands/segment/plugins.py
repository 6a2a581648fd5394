"""`teravox segment plugins`: the steps that blocks are segmented by."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Annotated

from teravox.cli.command import Call, Command
from teravox.cli.options import AsJson
from teravox.cli.parse import did_you_mean
from teravox.cli.say import plain
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import says

if TYPE_CHECKING:
    from teravox.pipeline.segmentation.catalog import Listed

COLUMN = 22  # where the words about a step or a parameter begin
WIDTH = 110


class Plugins(Command, frozen=True):
    """List the steps of `teravox segment`, or the parameters of one.

    Listed are the built-in ones and the functions of the modules that --plugin names.

        teravox segment plugins distance-watershed
    """

    name: Annotated[str | None, says("Name of a step, to see its parameters.", positional=True)] = None
    json: AsJson = False

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        from teravox.pipeline.segmentation.catalog import all_steps

        steps = list(all_steps())
        found = [step for step in steps if self.name in (None, step.name)]
        if not found:
            near = did_you_mean(str(self.name), [step.name for step in steps])
            raise BadUsage(f"there is no step {self.name!r}{near or '; see: teravox segment plugins'}")
        if self.json:
            print(json.dumps([_describe(step) for step in found], indent=2))
        elif self.name is None:
            _print_all(found)
        else:
            for step in found:
                _print_one(step)
        return ExitCode.DONE


def _print_all(steps: list[Listed]) -> None:
    for at, step in enumerate(steps):
        if at == 0 or steps[at - 1].what != step.what:
            print(f"{'' if at == 0 else chr(10)}{step.what}:")
        _print_row(step.name, step.summary)
    print("\nParameters of one: teravox segment plugins NAME")


def _print_one(step: Listed) -> None:
    from teravox.pipeline.segmentation.catalog import say_default, say_type

    print(f"{step.name} ({step.what})\n")
    print(plain(step.text))
    if step.declared.parameters:
        print()
    for parameter in step.declared.parameters.values():
        default = say_default(parameter)
        facts = f"{say_type(parameter)}; {f'default {default}' if default else 'must be given'}"
        _print_row(parameter.name, f"{parameter.text} ({facts})".strip())


def _print_row(left: str, right: str) -> None:
    lines = textwrap.wrap(plain(right), width=WIDTH - COLUMN, break_on_hyphens=False) or [""]
    if len(left) + 4 > COLUMN:
        print(f"  {left}")
    else:
        print(f"  {left}".ljust(COLUMN) + lines.pop(0))
    for line in lines:
        print(" " * COLUMN + line)


def _describe(step: Listed) -> dict[str, object]:
    from teravox.pipeline.segmentation.catalog import say_type

    parameters = [
        {
            "name": one.name,
            "type": say_type(one),
            "description": one.text,
            **({} if one.is_required else {"default": one.default}),
        }
        for one in step.declared.parameters.values()
    ]
    return {"step": step.what, "name": step.name, "summary": step.summary, "parameters": parameters}
