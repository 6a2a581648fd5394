"""`teravox queue failed`: the dead letters."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated

import msgspec

from teravox.cli.command import Call
from teravox.cli.options import AsJson, Limit, Match
from teravox.cli.queue_command import QueueCommand, matcher
from teravox.cli.say import plain, say_task, say_tasks
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.failure import DeadLetter
from teravox.pipeline.options import says
from teravox.pipeline.secrets import redact
from teravox.pipeline.units import say_seconds


class Failed(QueueCommand, frozen=True):
    """Show the tasks that were given up, and why.

    They are grouped by what went wrong, each with its piece, attempts, error, host and time. Changes nothing.
    """

    match: Match = None
    limit: Limit = 50
    traceback: Annotated[bool, says("Show the last log lines and the traceback too.")] = False
    json: AsJson = False

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        match = matcher(self.match)
        with self.opened() as queue:
            letters = (letter for letter in queue.dead() if match(letter))
            if self.json:
                for letter in letters:
                    print(_as_json(letter))
            else:
                self._show(letters)
        return ExitCode.DONE

    def _show(self, letters: Iterator[DeadLetter]) -> None:
        groups: dict[tuple[str, str, str], list[DeadLetter]] = {}
        numbers: dict[tuple[str, str, str], int] = {}
        shown = 0
        for letter in letters:
            group = _group(letter)
            numbers[group] = numbers.get(group, 0) + 1
            kept = groups.setdefault(group, [])
            if shown < self.limit:
                kept.append(letter)
                shown += 1
        for group, kept in groups.items():
            kind, sort, error = group
            print(f"{kind}: {sort}{f', {error}' if error else ''}: {say_tasks(numbers[group])}")
            for letter in kept:
                print("\n".join(self._lines(letter)))
        total = sum(numbers.values())
        if total > shown:
            print(f"… and {total - shown:,} more; see them with --limit {total}")
        if not total:
            print("No task has failed." if self.match is None else "No failed task matches.")

    def _lines(self, letter: DeadLetter) -> Iterator[str]:
        _, piece = say_task(letter.body)
        attempts = f"{letter.attempts} attempts" if letter.attempts != 1 else "1 attempt"
        yield f"  {plain(letter.id)}  {piece}  {attempts if letter.attempts else 'attempts unknown'}"
        if not letter.failures:
            yield "    no report: the worker vanished, or the queue keeps none"
            return
        last = letter.failures[-1]
        yield f"    {plain(last.text)}"
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(last.started))
        yield f"    on {plain(last.host)} by {plain(last.worker)}, {when}, after {say_seconds(last.seconds)}"
        if self.traceback:
            yield from (f"    | {plain(line)}" for line in last.log)
            yield from (f"    {plain(line)}" for line in last.traceback.splitlines())


def _group(letter: DeadLetter) -> tuple[str, str, str]:
    kind, _ = say_task(letter.body)
    if not letter.failures:
        return kind, "lost", ""
    return kind, letter.failures[-1].sort, plain(letter.failures[-1].error)


def _as_json(letter: DeadLetter) -> str:
    kind, piece = say_task(letter.body)
    said = {"id": letter.id, "kind": kind, "piece": piece, "attempts": letter.attempts, "failures": letter.failures}
    return redact(msgspec.json.encode(said).decode())
