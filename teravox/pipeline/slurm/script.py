"""The scripts themselves: an array of workers, and a pipeline that keeps such an array beside it."""

from __future__ import annotations

import shlex

import msgspec

from teravox.pipeline.slurm.array import Array
from teravox.pipeline.slurm.directives import Place, slurm_time, write_directives, write_options

BEFORE_THE_END = 90  # seconds before --time is up in which a job is told
DRIVER_MEMORY = "4G"  # of the job that waits for the steps of a pipeline
IDLE = "1h"  # after which workers of a pipeline leave; longer than the last duties of a job take, between two steps
EVERY = 60  # seconds between two looks whether a pipeline has workers
HERE = {"nodes": "1", "ntasks": "1"}
_SIGNAL = {"signal": f"B:TERM@{BEFORE_THE_END}"}
REQUEUE = """
# A preempted job, or one whose node is lost, is queued again, and its log goes on.
#SBATCH --requeue
#SBATCH --open-mode=append
"""


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What a script says beside what it asks of SLURM."""

    made_by: str  # the command that made it
    queue: str | None = None  # None: it is the script's first argument
    environment: str | None = None  # folder whose bin/teravox is run; None: whichever is found
    modules: tuple[str, ...] = ()
    setup: str | None = None  # a line of shell
    settings: tuple[str, ...] = ()  # of a pipeline file, as NAME=VALUE
    plugins: tuple[str, ...] = ()
    queue_options: tuple[str, ...] = ()  # of an SQS queue: its region, its server


def write_worker_script(array: Array, seconds: float, place: Place, contents: Contents) -> str:
    """An array of workers that end when the queue is empty."""
    first = "QUEUE " if contents.queue is None else ""
    rest = '"${@:2}"' if contents.queue is None else '"$@"'
    head = f"""\
#!/bin/bash
# teravox workers on SLURM: each element of this array is one, and all of them take tasks from the same queue.
#
#     sbatch SCRIPT {first}[options of `teravox execute`]
#     teravox queue status {shlex.quote(contents.queue or "QUEUE")} --watch
#
# Any number of arrays may work on a queue. The workers end when it is empty. scancel, preemption and the end of --time
# are all the same to them: SIGTERM comes, the tasks under way go back into the queue at once, and count no attempt.
# To let tasks finish that need less than a minute more, add `--grace 60s`: SLURM must then wait as long before it
# kills (KillWait for scancel, GraceTime of the partition or QOS for preemption).
#
# Made by: {_one_line(contents.made_by)}

"""
    asked = {
        "job-name": place.name,
        **_array_options(array, seconds),
        "output": place.log("%A_%a"),
        **place.options,
    }
    return (
        head
        + write_directives(asked)
        + f"""
# {BEFORE_THE_END} s before --time is up SIGTERM goes to the worker (B: to this script's process, which `exec` makes the worker).
#SBATCH --signal=B:TERM@{BEFORE_THE_END}
{REQUEUE}
{_prelude(contents)}
queue={_queue(contents, 1)}
# As many tasks at a time as there are cores, which share the memory.
exec {_execute(contents)} {rest}
"""
    )


def write_pipeline_script(file: str | None, array: Array, seconds: float, place: Place, contents: Contents) -> str:
    """A pipeline as a job of one core, which keeps an array of workers beside it while it lasts."""
    taken = (file is None) + (contents.queue is None)
    first = f"{'FILE ' if file is None else ''}{'QUEUE ' if contents.queue is None else ''}"
    workers = {**_array_options(array, seconds), "output": place.log("%A_%a"), **place.options, **_SIGNAL}
    driver = {
        "job-name": place.name,
        **HERE,
        "cpus-per-task": "1",
        "mem-per-cpu": DRIVER_MEMORY,
        "time": slurm_time(seconds),
    }
    head = f"""\
#!/bin/bash
# A teravox pipeline on SLURM: this job of one core waits for one step after the other, and hands in an array of workers.
#
#     sbatch SCRIPT {first}[options of `teravox run`]
#     squeue --me; teravox queue status {shlex.quote(contents.queue or "QUEUE")}
#
# It may be cancelled, preempted and handed in again at any time: what is done stays done. At the end of its --time it
# is queued again by itself. When the pipeline is over, or a step has failed, the workers are sent home. If this job is
# cancelled, they finish what is in the queue, and leave when it was empty for {IDLE}; scancel --name=NAME-JOB ends them at
# once.
#
# Made by: {_one_line(contents.made_by)}

"""
    words = "\n".join(f"    {word}" for word in write_options(workers, shlex.quote))
    return (
        head
        + write_directives({**driver, "output": place.log("%j"), **place.options})
        + f"""
# {BEFORE_THE_END} s before --time is up this script is told, and has itself queued again.
#SBATCH --signal=B:USR1@{BEFORE_THE_END}
{REQUEUE}
# What the workers ask of SLURM.
workers=(
{words}
)
every={EVERY} # seconds between two looks whether there are workers

{_prelude(contents)}
if [[ ${{1-}} == --worker ]]; then # this script is a worker's too
    queue=$2
    exec {_execute(contents)} --idle {IDLE}
fi

{_file(file)}queue={_queue(contents, 1 + (file is None))}
{f"shift {taken}" + chr(10) if taken else ""}{_PIPELINE.format(run=_run(contents), teravox=_teravox(contents))}"""
    )


_PIPELINE = """\
crew=$SLURM_JOB_NAME-$SLURM_JOB_ID # the name of the workers' array, the same when this job is queued again

keep_workers() {{
    local there
    while true; do
        if there=$(squeue --noheader --name="$crew") && [[ -z $there ]]; then
            sbatch --job-name="$crew" "${{workers[@]}}" "$0" --worker "$queue"
        fi
        sleep "$every"
    done
}}

send_home() {{
    scancel --name="$crew" --state=PENDING
    scancel --name="$crew" --batch --signal=TERM # those that run end in order
}}

case $queue in
sqs://* | http*) ;;
*) {teravox} queue create "$queue" ;; # so that the workers find it
esac

told=
keep_workers &
keeper=$!
{run} &
run=$!
trap 'told=TERM; kill -TERM "$run" 2>/dev/null' TERM
trap 'told=USR1; kill -TERM "$run" 2>/dev/null' USR1
wait "$run"
code=$?
while [[ $told ]] && kill -0 "$run" 2>/dev/null; do # a signal ends `wait` before the run has ended
    wait "$run"
done
kill "$keeper"
case $told in
TERM) ;;                                 # cancelled or preempted: the workers go on with what is in the queue
USR1) scontrol requeue "$SLURM_JOB_ID" ;; # --time is up
*) send_home ;;
esac
exit "$code"
"""


def _array_options(array: Array, seconds: float) -> dict[str, str]:
    return {
        "array": f"0-{array.elements - 1}",
        **HERE,
        "cpus-per-task": str(array.cores),
        "mem-per-cpu": f"{array.megabytes}M",
        "time": slurm_time(seconds),
    }


def _prelude(contents: Contents) -> str:
    """What makes teravox known to the shell of a node."""
    lines = [f"module load {shlex.quote(module)}" for module in contents.modules]
    if contents.setup is not None:
        lines.append(contents.setup)
    if contents.environment is not None:
        lines.append(f'export PATH={shlex.quote(contents.environment + "/bin")}:"$PATH"')
    if not lines:
        lines.append("# What makes teravox known comes here: module load python; source /shared/venv/bin/activate")
    return "".join(f"{line}\n" for line in lines)


def _queue(contents: Contents, number: int) -> str:
    if contents.queue is not None:
        return shlex.quote(contents.queue)
    return f'${{{number}:?"the queue is missing: sbatch SCRIPT {"FILE " if number > 1 else ""}QUEUE"}}'


def _file(file: str | None) -> str:
    said = '${1:?"the pipeline file is missing: sbatch SCRIPT FILE QUEUE"}' if file is None else shlex.quote(file)
    return f"file={said}\n"


def _teravox(contents: Contents) -> str:
    plugins = [word for plugin in contents.plugins for word in ("--plugin", plugin)]
    return shlex.join(["teravox", *plugins])


def _execute(contents: Contents) -> str:
    options = "".join(f" {shlex.quote(word)}" for word in contents.queue_options)
    return f'{_teravox(contents)} execute "$queue" -p "${{SLURM_CPUS_PER_TASK:-1}}" --exit-on-empty{options}'


def _run(contents: Contents) -> str:
    settings = [word for setting in contents.settings for word in ("--set", setting)]
    options = "".join(f" {shlex.quote(word)}" for word in (*contents.queue_options, *settings))
    return f'{_teravox(contents)} run "$file" --queue "$queue"{options} "$@"'


def _one_line(command: str) -> str:
    """A command as a comment."""
    return "".join(letter if letter.isprintable() else " " for letter in command)
