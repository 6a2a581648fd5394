"""`teravox execute`: a worker."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.options import Durable, EndpointUrl, Parallel, Queue, Quiet, Region, TaskTimeout, Tries
from teravox.cli.workers_here import USUAL
from teravox.pipeline.options import Bytes, Seconds, says
from teravox.pipeline.worker.settings import WorkerSettings


class Execute(Command, frozen=True):
    """Work on the tasks of a queue, until told to stop.

    Any number of workers, on any number of machines, may work on one queue.
    SIGTERM or Ctrl-C: no new task is taken, running ones are given back (or have --grace to finish), and the exit
    code is 0. A second signal ends it at once.

        teravox execute ./q -p 8 --exit-on-empty
    """

    queue: Queue
    parallel: Parallel = USUAL.processes
    lease_sec: Annotated[
        float,
        Meta(ge=1, le=12 * 3600),
        says("How long a task stays claimed after its worker falls silent; renewed while it runs.", form="seconds"),
    ] = USUAL.lease_sec
    tries: Tries = USUAL.tries
    grace: Annotated[
        Seconds, says("Time that running tasks have to finish when the worker is told to stop.", form="seconds")
    ] = USUAL.grace
    exit_on_empty: Annotated[bool, says("End when nothing is left in the queue, leased tasks included.", short="x")] = (
        False
    )
    idle: Annotated[
        Seconds,
        says(
            "With --exit-on-empty: how long the queue must have been empty; longer than the pauses between the steps of a "
            "pipeline.",
            form="seconds",
        ),
    ] = USUAL.idle
    num_tasks: Annotated[
        Annotated[int, Meta(ge=1)] | None, says("End after so many tasks, in all processes together. Default: no end.")
    ] = None
    min_sec: Annotated[
        Seconds | None, says("Take no new task after so much time. Default: no end.", form="seconds")
    ] = None
    task_timeout: TaskTimeout = None
    memory: Annotated[
        Bytes | None,
        says(
            "Memory that all processes together may use. Default: what machine, container and SLURM grant.",
            form="bytes",
        ),
    ] = None
    allow: Annotated[
        tuple[str, ...],
        says(
            "Place that the layers of a task must lie in; may be given several times. Default: anywhere.", form="layer"
        ),
    ] = ()
    durable: Durable = False
    quiet: Quiet = False
    log_json: Annotated[bool, says("Write the log as JSON lines.")] = False
    health_file: Annotated[
        str | None,
        says(
            "File to touch every few seconds while the worker is well, for whoever restarts it otherwise. Default: none.",
            form="path",
        ),
    ] = None
    region: Region = None
    endpoint_url: EndpointUrl = None

    def run(self, call: Call) -> int:
        from teravox.pipeline.limits import granted_cores
        from teravox.pipeline.queues.open import open_queue
        from teravox.pipeline.worker.supervisor import work

        if self.idle and not self.exit_on_empty and call.given["idle"].by == "command line":
            raise BadOption("--idle: means nothing without --exit-on-empty")
        settings = WorkerSettings(
            processes=self.parallel or granted_cores(),
            lease_sec=self.lease_sec,
            tries=self.tries,
            grace=self.grace,
            exit_on_empty=self.exit_on_empty,
            idle=self.idle,
            num_tasks=self.num_tasks,
            min_sec=self.min_sec,
            task_timeout=self.task_timeout,
            memory=self.memory,
            plugins=call.registry.plugins,
            allow=self.allow,
            durable=self.durable,
            quiet=self.quiet,
            log_json=self.log_json,
            health_file=self.health_file,
        )
        queue = open_queue(self.queue, region=self.region, endpoint=self.endpoint_url)
        return work(queue, settings).exit_code
