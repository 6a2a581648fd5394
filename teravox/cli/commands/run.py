"""`teravox run`: a pipeline file."""

from __future__ import annotations

from typing import Annotated

from teravox.cli.command import Call, Command
from teravox.cli.options import AsJson, DryRun, EndpointUrl, Parallel, Quiet, Region, TaskTimeout, Tries, Yes
from teravox.cli.settings import Setting
from teravox.cli.stages import ONLY_HERE, Interval, refuse_wrong_place
from teravox.cli.workers_here import USUAL, workers_here
from teravox.pipeline.options import says

Settings = Annotated[
    tuple[Setting, ...],
    says("Variable of the file, in the place of its own value; may be given several times."),
]
Folder = Annotated[
    str | None, says("Folder that the paths in the file are relative to. Default: the working directory.", form="path")
]


class Run(Command, frozen=True, rename={"begin": "from", "settings": "set"}):
    """Do the steps of a pipeline file, each when what it waits for is done.

    It may be interrupted and repeated at any time, also from another machine: what is done stays done, and after a
    changed option only that step is done again and those that wait for it. Steps that do not wait for each other run at
    the same time. At the end it says what each step cost, what was made and how to look at it.

        teravox run brain.toml -p 8
        teravox run brain.toml --set out=./other --until meshes
        teravox run brain.toml --queue ./q
    """

    file: Annotated[str, says("Pipeline file (TOML).", form="path", positional=True)]
    settings: Settings = ()
    folder: Folder = None
    only: Annotated[tuple[str, ...], says("Step to do, and no other; may be given several times.")] = ()
    begin: Annotated[str | None, says("Step to begin with: it, and those that wait for it.")] = None
    until: Annotated[str | None, says("Step to end with: it, and those that it waits for.")] = None
    redo: Annotated[
        tuple[str, ...],
        says("Step to do again though it is done, and then those that wait for it; may be given several times."),
    ] = ()
    queue: Annotated[
        str | None,
        says(
            "Queue of the workers that do it: the tasks of each step are put there when their turn comes. The workers must "
            "reach the layers, and must not leave between two steps, when the queue is empty: no --exit-on-empty, or "
            "--idle. Default: it is done here and now.",
            form="queue",
        ),
    ] = None
    interval: Interval = 2.0
    parallel: Parallel = 1
    dry_run: DryRun = False
    tries: Tries = USUAL.tries
    task_timeout: TaskTimeout = None
    yes: Yes = False
    json: AsJson = False
    quiet: Quiet = False
    region: Region = None
    endpoint_url: EndpointUrl = None

    def run(self, call: Call) -> int:
        from teravox.cli.run_pipeline import HowItIsDriven, run_file

        refuse_wrong_place(self.queue, call, ONLY_HERE)
        how = HowItIsDriven(
            settings={setting.name: setting.value for setting in self.settings},
            folder=self.folder,
            only=self.only,
            begin=self.begin,
            until=self.until,
            redo=self.redo,
            yes=self.yes,
            dry_run=self.dry_run,
            queue=self.queue,
            region=self.region,
            endpoint_url=self.endpoint_url,
            interval=self.interval,
            worker=workers_here(call, self.parallel, tries=self.tries, task_timeout=self.task_timeout),
            quiet=self.quiet,
            json=self.json,
        )
        return run_file(self.file, how, call)
