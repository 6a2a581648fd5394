"""`teravox plan`: what a job will take."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.commands.run import Settings
from teravox.cli.errors import BadOption
from teravox.cli.options import AsJson, Quiet
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import Bytes, says

if TYPE_CHECKING:
    from collections.abc import Iterator

    from teravox.cli.catalog import Catalog
    from teravox.cli.fields import Field
    from teravox.pipeline.planning.plan_file import PlanFile
    from teravox.pipeline.planning.planner import Means, TakeSample
    from teravox.pipeline.planning.sampled import Fit
    from teravox.pipeline.stages import Stage


class Plan(Command, frozen=True, rename={"settings": "set"}):
    """Say what a job or a pipeline file will take, before anything is written.

    Tasks, memory, bytes, requests, files, core-hours, time with so many workers, and dollars. Options before COMMAND are
    those of plan; behind it, those that COMMAND has are its own. What is estimated has a ~ before it, and what nobody can
    know yet is a ?, with the reason below. Layers that earlier steps of a file will make need not be there.

        teravox plan image downsample ./seg --num-mips 3 --workers 64
        teravox plan pipeline.toml --set out=s3://bucket/brain --output plan.json
    """

    command: Annotated[
        str | None,
        says("The command to plan, with its arguments; or a pipeline file, NAME.toml.", positional=True),
    ] = None
    workers: Annotated[int, Meta(ge=1), says("Tasks at the same time, each on a core of its own.")] = 1
    settings: Settings = ()
    sample: Annotated[
        int,
        Meta(ge=0),
        says("Run so many scattered pieces of the first stage for real, and reckon with what they take; 0: none."),
    ] = 0
    scratch: Annotated[
        str | None,
        says(
            "Where --sample writes, which is emptied in the end. Default: a temporary folder here; a folder of a bucket "
            "shows what writing there takes.",
            form="layer",
        ),
    ] = None
    memory_per_worker: Annotated[
        Bytes | None, says("Memory that a task may use. Default: what this machine grants.", form="bytes")
    ] = None
    place: Annotated[
        str | None, says("Whose prices: aws, gcs, local, or another of the table. Default: by where the layers lie.")
    ] = None
    region: Annotated[
        str | None,
        says("Region where the workers run, to find layers that lie in another one. Default: the layers' own."),
    ] = None
    prices: Annotated[
        str | None, says("Table of prices to use. Default: the one of this package; see --show-prices.", form="path")
    ] = None
    rates: Annotated[
        str | None, says("Table of rates to use. Default: the one of this package; see --show-rates.", form="path")
    ] = None
    show_prices: Annotated[bool, says("Print the table of prices, to be edited, and plan nothing.")] = False
    show_rates: Annotated[bool, says("Print the table of rates, to be edited, and plan nothing.")] = False
    output: Annotated[str | None, says("File to write the plan to, as JSON for other commands.", form="path")] = None
    json: AsJson = False
    quiet: Quiet = False

    @classmethod
    def arrange(cls, words: Sequence[str], own: Sequence[Field], catalog: Catalog) -> Sequence[str]:
        from teravox.cli.plan_words import gather_command

        return gather_command(words, own, catalog)

    def run(self, call: Call) -> int:
        from teravox.pipeline.planning.prices import prices_text
        from teravox.pipeline.planning.rates import rates_text

        if self.show_prices or self.show_rates:
            print("\n".join([prices_text()] * self.show_prices + [rates_text()] * self.show_rates), end="")
            return ExitCode.DONE
        if self.command is None:
            raise BadOption("COMMAND is missing: say what to plan, as in: teravox plan image downsample ./seg")
        if self.scratch is not None and not self.sample:
            raise BadOption("--scratch: means nothing without --sample")
        plan = self._make(self.command, call)
        self._write(plan)
        if self.json:
            import msgspec

            print(msgspec.json.encode(plan).decode())
        elif not self.quiet:
            _show(plan)
        return ExitCode.DONE

    def _make(self, command: str, call: Call) -> PlanFile:
        from teravox.cli.plan_steps import find_steps
        from teravox.pipeline.planning.planner import make_plan

        settings = {setting.name: setting.value for setting in self.settings}
        steps = list(find_steps(command, settings, call))
        with _sampler(self, call) as take_sample:
            return make_plan(steps, self._means(), take_sample)

    def _means(self) -> Means:
        from teravox.pipeline.limits import granted_memory
        from teravox.pipeline.planning.planner import Means
        from teravox.pipeline.planning.prices import read_prices
        from teravox.pipeline.planning.rates import read_rates

        prices = read_prices(self.prices)
        if self.place is not None:
            prices.of(self.place)  # refused now, if there is none
        return Means(
            rates=read_rates(self.rates),
            prices=prices,
            workers=self.workers,
            memory=self.memory_per_worker or granted_memory()[0],
            place=self.place,
            region=self.region,
        )

    def _write(self, plan: PlanFile) -> None:
        if self.output is None:
            return
        from pathlib import Path

        from teravox.pipeline.planning.plan_file import encode_plan
        from teravox.pipeline.storage.open import open_store

        path = Path(self.output).absolute()
        open_store(str(path.parent)).put(path.name, encode_plan(plan), content_type="application/json")
        if not self.quiet and not self.json:
            print(f"The plan is in {path}.")


@contextmanager
def _sampler(said: Plan, call: Call) -> Iterator[TakeSample | None]:
    """What runs a sample, with a bar."""
    if not said.sample:
        yield None
        return
    from teravox.cli.progress import show_progress
    from teravox.pipeline.planning.sampling import run_sample

    with show_progress("sample", lambda: said.sample, quiet=said.quiet) as progress:

        def take(stage: Stage) -> Fit:
            tell: Callable[[int], None] = progress
            return run_sample(stage, call.registry.plugins, said.sample, said.scratch, tell)

        yield take


def _show(plan: PlanFile) -> None:
    from rich.console import Console

    from teravox.cli.plan_tables import tables
    from teravox.cli.say import plain

    wide = None if sys.stdout.isatty() else 140  # columns, where nobody says how many there are
    console = Console(soft_wrap=True, highlight=False, markup=False, width=wide)
    for one in tables(plan):
        console.print(plain(one) if isinstance(one, str) else one)
