"""Runs scattered pieces of a job for real, in a process of its own, with all that they write going to a scratch.

Started as `python -m teravox.pipeline.planning.sampling`; it reads an Order from its input, and answers with a line of
JSON for each piece.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.errors import BadInput, TeravoxError
from teravox.pipeline.planning.sample import choose_places
from teravox.pipeline.planning.sampled import Fit, Run, make_run

if TYPE_CHECKING:
    from teravox.pipeline.stages import Stage


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run."""

    kind: str
    job: dict[str, Any]  # the parameters of whichever kind this is
    plugins: tuple[str, ...]
    pieces: int
    scratch: str | None


class Answer(msgspec.Struct, frozen=True):
    """A piece that was run, or why no further one can be."""

    run: Run | None = None
    refusal: str | None = None


def run_sample(
    stage: Stage, plugins: tuple[str, ...], pieces: int, scratch: str | None, progress: Callable[[int], None]
) -> Fit:
    """Run some pieces, the first of them twice, since it loads the libraries; BadInput says why they cannot be."""
    order = Order(kind=stage.kind, job=msgspec.to_builtins(stage.job), plugins=plugins, pieces=pieces, scratch=scratch)
    command = [sys.executable, "-m", "teravox.pipeline.planning.sampling"]
    runs: list[Run] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None  # they are pipes
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(order))
            process.stdin.close()
            for line in process.stdout:
                runs.append(_open(msgspec.json.decode(line, type=Answer), stage.kind))
                progress(1)
        except BaseException:
            process.terminate()  # it removes its scratch
            raise
    if process.returncode or not runs:
        raise BadInput(f"--sample: the process that ran pieces of {stage.kind} ended with {process.returncode}")
    return Fit(runs=tuple(runs), scratch=scratch or "a temporary folder, which was removed")


def _open(answer: Answer, kind: str) -> Run:
    if answer.run is None:
        raise BadInput(f"--sample: a piece of {kind} could not be run: {answer.refusal}")
    return answer.run


def _run_pieces(order: Order) -> Iterator[Run]:
    from teravox.pipeline.planning.foresight import trying
    from teravox.pipeline.registry import Registry

    kind = Registry(order.plugins).find(order.kind)
    if kind is None:
        raise BadInput(f"there is no kind {order.kind!r}")
    job = msgspec.convert(order.job, kind).settled()
    with trying(order.scratch):
        job.prepare()
        pieces = job.pieces()
        places = choose_places(len(pieces), order.pieces)
        for warm, place in enumerate([*places[:1], *places]):
            run = _run_piece(job, pieces[place])
            if warm:
                yield run


def _run_piece(job: Any, piece: Any) -> Run:  # Any: kinds differ
    from teravox.pipeline.storage.tally import TALLY
    from teravox.pipeline.worker.memory import forget_peak, peak_memory

    promised = job.memory(piece)
    forget_peak()
    TALLY.begin(job.home())
    clock, cpu = time.perf_counter(), time.process_time()
    try:
        job.run(piece)
    finally:
        tallied = TALLY.end()
    return make_run(
        piece,
        seconds=time.perf_counter() - clock,
        cpu_seconds=time.process_time() - cpu,
        peak_bytes=peak_memory(),
        promised=promised,
        bytes_in=tallied.bytes_in,
        bytes_out=tallied.bytes_out,
    )


def main() -> None:
    import os
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started us is told too, and ends us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the scratch is removed
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what pieces print does not go between the answers
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    try:
        for run in _run_pieces(order):
            answers.write(msgspec.json.encode(Answer(run=run)) + b"\n")
            answers.flush()
    except TeravoxError as error:
        answers.write(msgspec.json.encode(Answer(refusal=str(error))) + b"\n")
    answers.close()


if __name__ == "__main__":
    main()
