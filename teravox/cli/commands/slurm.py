"""`teravox slurm`: scripts for a cluster."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.commands.run import Settings
from teravox.cli.errors import BadOption
from teravox.cli.options import EndpointUrl, Region
from teravox.cli.say import plain, say_tasks
from teravox.cli.where_it_runs import refuse_without_sqs, typed_here
from teravox.pipeline.errors import BadInput
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import Bytes, Seconds, says
from teravox.pipeline.slurm.granting import USUAL_WORKERS
from teravox.pipeline.units import say_bytes, say_seconds

if TYPE_CHECKING:
    from teravox.pipeline.planning.plan_file import PlanFile
    from teravox.pipeline.slurm.array import Array
    from teravox.pipeline.slurm.directives import Place
    from teravox.pipeline.slurm.script import Contents

USUAL_CORES = 4  # of an element, if there is so much to do


class Slurm(Command, frozen=True, rename={"pipeline_file": "run", "settings": "set"}):
    """Write a script for SLURM: an array of workers, or a pipeline with one.

    Memory, time and number of workers come from a plan, or are said. An element of the array is one worker, which does
    as many tasks at a time as it has cores. With --run the script is a job of one core that runs a pipeline file through
    the queue, hands in the array, and sends the workers home when all is done.

        teravox plan brain.toml --workers 64 --output plan.json
        teravox slurm plan.json --queue ./q --run brain.toml --partition cpu --output brain.sbatch
        sbatch brain.sbatch
    """

    plan: Annotated[
        str | None,
        says(
            "Plan that `teravox plan` wrote with --output. Default: --memory says what is needed.",
            form="path",
            positional=True,
        ),
    ] = None
    queue: Annotated[
        str | None,
        says(
            "Queue to work on: a folder that all nodes see, or sqs://NAME. Default: the script takes it as an argument.",
            form="queue",
        ),
    ] = None
    pipeline_file: Annotated[
        str | None,
        says(
            "Pipeline file to run through the queue; none: the script takes it as an argument. Default: only workers.",
            form="path",
        ),
    ] = None
    settings: Settings = ()
    workers: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        says(f"Tasks that are worked on at the same time. Default: as the plan says; {USUAL_WORKERS} without one."),
    ] = None
    cpus_per_task: Annotated[int, Meta(ge=1), says("Cores of an element of the array, each for a task of its own.")] = (
        USUAL_CORES
    )
    memory: Annotated[Bytes | None, says("What the largest task needs. Default: as the plan says.", form="bytes")] = (
        None
    )
    max_memory: Annotated[
        Bytes | None,
        says(
            "Most memory of an element, which has fewer cores where it does not suffice. Default: no limit.",
            form="bytes",
        ),
    ] = None
    time: Annotated[
        Seconds | None,
        says(
            "Longest time of a job. Default: twice what the plan says, at least 1h; 1d where it says nothing.",
            form="seconds",
        ),
    ] = None
    partition: Annotated[str | None, says("Partition of the cluster. Default: the cluster's own.")] = None
    account: Annotated[str | None, says("Account that is charged. Default: yours.")] = None
    qos: Annotated[str | None, says("Quality of service. Default: the cluster's own.")] = None
    sbatch: Annotated[
        str, says("Further options of sbatch, as in --sbatch='--constraint=avx2 --exclude=node[3,4]'.")
    ] = ""
    name: Annotated[str, says("Name of the jobs and of their logs.")] = "teravox"
    logs: Annotated[str | None, says("Folder for the logs. Default: where the jobs start.", form="path")] = None
    module: Annotated[tuple[str, ...], says("Environment module to load first; may be given several times.")] = ()
    setup: Annotated[
        str | None, says("Line of shell to run first, which stands in the script as it is, as 'source ~/setup.sh'.")
    ] = None
    venv: Annotated[
        str | None,
        says(
            "Folder of the environment whose bin/teravox is run, on a file system that all nodes see. Default: that of this "
            "very command, or whichever is found where --module or --setup is given.",
            form="path",
        ),
    ] = None
    output: Annotated[str | None, says("File for the script. Default: it is printed.", form="path", short="o")] = None
    overwrite: Annotated[bool, says("Replace the file of --output.")] = False
    region: Region = None
    endpoint_url: EndpointUrl = None

    def run(self, call: Call) -> int:
        from teravox.pipeline.slurm.script import write_pipeline_script, write_worker_script

        self._refuse_nonsense(call)
        plan = self._plan()
        array, seconds = self._size(plan)
        place, contents = self._place(), self._contents(call)
        if "run" in call.given:
            script = write_pipeline_script(self.pipeline_file, array, seconds, place, contents)
        else:
            script = write_worker_script(array, seconds, place, contents)
        for note in array.notes:
            print(f"teravox: {plain(note)}", file=sys.stderr)
        if self.output is None:
            print(script, end="")
            return ExitCode.DONE
        self._write(self.output, script)
        size = f"{array.elements:,} x {array.cores}"
        print(
            f"{plain(self.output)}: {say_tasks(array.at_once)} at a time ({size} cores), "
            f"{say_bytes(array.megabytes * 2**20)} for each, at most {say_seconds(seconds)}.\n"
            f"Hand it in with: sbatch {shlex.quote(self.output)}"
        )
        return ExitCode.DONE

    def _refuse_nonsense(self, call: Call) -> None:
        if self.plan is None and self.memory is None:
            raise BadOption("PLAN or --memory: one of them must say what a task needs")
        if self.time is not None and self.time < 60:
            raise BadOption(f"--time: expected a minute or more, got {say_seconds(self.time)}")
        refuse_without_sqs(typed_here(call.given), self.queue or None)
        if self.settings and "run" not in call.given:
            raise BadOption("--set: means nothing without --run")
        if self.pipeline_file is not None and not Path(self.pipeline_file).is_file():
            raise BadOption(f"--run: there is no file {self.pipeline_file}")
        if self.logs is not None and not Path(self.logs).is_dir():
            raise BadOption(f"--logs: there is no folder {self.logs}, and SLURM would start no job; make it first")
        if self.setup is not None and not self.setup.isprintable():
            raise BadOption("--setup: expected a single line; call a script of yours where it takes more")
        if self.output is not None and not self.overwrite and os.path.lexists(self.output):
            raise BadOption(f"--output: {self.output} is there already; add --overwrite to replace it")

    def _plan(self) -> PlanFile | None:
        from teravox.pipeline.planning.plan_file import read_plan

        try:
            return None if self.plan is None else read_plan(self.plan)
        except BadInput as error:
            raise BadOption(f"PLAN: {error}") from None

    def _size(self, plan: PlanFile | None) -> tuple[Array, float]:
        """The array, and the longest time of a job in seconds."""
        from teravox.pipeline.slurm.array import size_array
        from teravox.pipeline.slurm.granting import grant

        needed = grant(plan, memory=self.memory, workers=self.workers, seconds=self.time)
        array = size_array(
            task_bytes=needed.memory,
            workers=needed.workers,
            cores=self.cpus_per_task,
            most_bytes=self.max_memory,
            most_tasks=needed.most_tasks,
        )
        return msgspec.structs.replace(array, notes=(*needed.notes, *array.notes)), needed.seconds

    def _place(self) -> Place:
        from teravox.pipeline.slurm.directives import Place

        return Place(
            name=self.name,
            partition=self.partition,
            account=self.account,
            qos=self.qos,
            more=self._more(),
            folder=str(Path.cwd()) if self.queue is not None else None,
            logs=self.logs,
        )

    def _more(self) -> tuple[str, ...]:
        try:
            return tuple(shlex.split(self.sbatch))
        except ValueError as error:
            raise BadOption(f"--sbatch: {error}: {self.sbatch!r}") from None

    def _contents(self, call: Call) -> Contents:
        from teravox.pipeline.slurm.script import Contents

        own = None if "venv" in call.given or self.module or self.setup else sys.prefix
        more = [("--region", self.region), ("--endpoint-url", self.endpoint_url)]
        return Contents(
            made_by=call.command,
            queue=self.queue,
            environment=self.venv or own,
            modules=self.module,
            setup=self.setup,
            settings=tuple(f"{each.name}={each.value}" for each in self.settings),
            plugins=call.registry.plugins,
            queue_options=tuple(word for option, value in more if value for word in (option, value)),
        )

    def _write(self, path: str, script: str) -> None:
        from teravox.pipeline.storage.atomic_write import write_atomic

        try:
            write_atomic(path, script.encode())
        except OSError as error:
            raise BadOption(f"--output: {path} cannot be written: {error.strerror}") from None
