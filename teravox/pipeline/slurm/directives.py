"""What a script asks of SLURM, as `#SBATCH` lines that say what was meant whatever the values hold."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping

import msgspec

from teravox.pipeline.errors import BadUsage

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.,@+:-]*", re.ASCII)
_OPTION = re.compile(r"--[a-z][a-z-]*(=.*)?", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9_./,:=@%+-]+", re.ASCII)
_OURS = ("array", "cpus-per-task", "error", "mem", "mem-per-cpu", "output", "requeue", "signal", "time")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a script runs, and under which name; BadUsage where SLURM would read something else out of it."""

    name: str = "teravox"
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    more: tuple[str, ...] = ()  # further options of sbatch, as `--exclude=node3`
    folder: str | None = None  # in which the jobs start; None: where they were handed in
    logs: str | None = None  # folder of the logs; None: that in which the jobs start

    def __post_init__(self) -> None:
        for option, word in (
            ("--name", self.name),
            ("--partition", self.partition),
            ("--account", self.account),
            ("--qos", self.qos),
        ):
            if word is not None and not _WORD.fullmatch(word):
                raise BadUsage(f"{option}: expected letters, digits and _.,@+:-, got {word[:80]!r}")
        for option in self.more:
            _check_option(option)
        for what, path in (("the working directory", self.folder), ("--logs", self.logs)):
            if path is not None and (not path.isprintable() or "\\" in path):
                raise BadUsage(f"{what}: SLURM cannot use a path with a backslash or a control character: {path!r}")

    @property
    def options(self) -> dict[str, str | None]:
        """What all jobs of a script have in common, by the options of sbatch."""
        said = {"partition": self.partition, "account": self.account, "qos": self.qos, "chdir": self.folder}
        options: dict[str, str | None] = {name: value for name, value in said.items() if value is not None}
        for option in self.more:
            name, is_joined, value = option.removeprefix("--").partition("=")
            options[name] = value if is_joined else None
        return options

    def log(self, numbers: str) -> str:
        """The path of a log, with SLURM's signs for the numbers of a job."""
        folder = f"{self.logs.rstrip('/')}/".replace("%", "%%") if self.logs else ""
        return f"{folder}{self.name}-{numbers}.log"


def write_directives(options: Mapping[str, str | None]) -> str:
    """Options as lines at the head of a script."""
    return "".join(f"#SBATCH {word}\n" for word in write_options(options, _quote))


def write_options(options: Mapping[str, str | None], quote: Callable[[str], str]) -> Iterable[str]:
    """Options as words, each quoted for whoever reads it."""
    for name, value in options.items():
        yield f"--{name}" if value is None else f"--{name}={quote(value)}"


def slurm_time(seconds: float) -> str:
    """A time as SLURM writes it, in whole minutes: `1-02:30:00`."""
    minutes = max(1, math.ceil(seconds / 60))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}-{hours:02}:{minutes:02}:00"


def _check_option(option: str) -> None:
    if not _OPTION.fullmatch(option) or not option.isprintable():
        raise BadUsage(f"--sbatch: expected options like --exclude=node3, got {option[:80]!r}")
    name = option.removeprefix("--").partition("=")[0]
    if name in _OURS:
        raise BadUsage(
            f"--sbatch: --{name} is what the script is made for; change it there, or by options of this command"
        )


def _quote(value: str) -> str:
    """A value as sbatch reads it in a script: with quotes where it would end or turn into something else."""
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
