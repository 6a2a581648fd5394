"""A pipeline on a SLURM cluster by the script of `teravox slurm`, and what may happen to its jobs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
from faults.workers import until
from servers.daemon import run
from servers.slurm import Slurm

from teravox.pipeline.queues.folder import FolderQueue


class SlurmRun:
    """One run; its queue `q`, script and logs lie in the folder of the pipeline file."""

    def __init__(self, cluster: Slurm, teravox: Path, file: Path, *more: str, workers: int, memory: str) -> None:
        self._cluster = cluster
        self._folder = file.parent
        self.queue = FolderQueue(self._folder / "q", create=True)
        script = self._folder / "job"
        words = [f"--memory={memory}", f"--workers={workers}", "--cpus-per-task=1", f"--queue={self._folder}/q"]
        run([teravox, "slurm", *words, f"--run={file}", f"--logs={self._folder}", "-o", script])
        script.write_text(script.read_text().replace("every=60 ", "every=1 "))
        self.job = cluster.submit(f"--chdir={self._folder}", "--mem-per-cpu=300M", script, "--interval", "0.2", *more)

    @property
    def said(self) -> str:
        return "".join(log.read_text(errors="replace") for log in sorted(self._folder.glob("*.log")))

    @property
    def done(self) -> int:
        """How many tasks have been done so far."""
        return self.queue.counts().done or 0

    def crew(self) -> list[int]:
        """The processes of the workers that live."""
        return [record.pid for record in self.queue.workers() if psutil.pid_exists(record.pid)]

    def wait_for(self, tasks: int) -> None:
        """Until so many tasks are done, and a worker is there."""
        until(lambda: self.done >= tasks and bool(self.crew()), f"{tasks} tasks are done", lambda: self.said)

    def kill_a_worker(self) -> None:
        os.kill(self.crew()[0], signal.SIGKILL)

    def cancel_the_workers(self) -> None:
        """The whole array; the job of the pipeline hands in another one."""
        self._cluster.call("scancel", f"--name=teravox-{self.job}")

    def let_the_time_be_up(self) -> None:
        """What SLURM does before the end of --time; returns when the pipeline's job, queued again by itself, runs again."""
        self._cluster.call("scancel", "--batch", "--signal=USR1", self.job)
        until(lambda: self._is_back, "the pipeline's job comes back", lambda: self.said)

    def end(self) -> str:
        """Wait until the pipeline is done and its workers were sent home; its exit code, as SLURM writes it."""
        until(lambda: not self._is_in("PENDING", "RUNNING", "COMPLETING"), "the pipeline ends", lambda: self.said)
        code = self._cluster.exit_code(self.job)
        if code == "0:0":
            until(lambda: not self.crew(), "the workers are sent home", lambda: self.said)
        return code

    @property
    def _is_back(self) -> bool:
        return "Restarts=1 " in self._cluster.call("scontrol", "show", "job", self.job) and self._is_in("RUNNING")

    def _is_in(self, *states: str) -> bool:
        return self._cluster.states(self.job)[self.job] in states
