"""What this process may use: memory and cores, as the machine, the container and SLURM grant them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from teravox.pipeline.errors import TooLittleMemory
from teravox.pipeline.units import say_bytes

ROOT = Path("/")
MIB = 1024 * 1024


def granted_memory(root: Path = ROOT, environ: Mapping[str, str] = os.environ) -> tuple[int, str]:
    """The bytes that this process and its children may use together, and who says so."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [(machine, "the machine's memory")]
    limits += [(limit, "the container's limit") for limit in _memory_limits(root)]
    limits += [(limit, "the SLURM allocation") for limit in _slurm_memory(environ)]
    limits += [(limit, "the limit of ulimit -v") for limit in _address_space()]
    return min(limits, key=lambda limit: limit[0])


def granted_cores(root: Path = ROOT, environ: Mapping[str, str] = os.environ) -> int:
    """How many processes can compute at the same time here; at least 1."""
    cores = [float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)]
    cores += _core_quotas(root)
    cores += _whole_numbers(environ, "SLURM_CPUS_PER_TASK")
    return max(1, int(min(cores)))


def check_memory(need: int, share: int, source: str, processes: int) -> None:
    """Raise TooLittleMemory if a task expects to need more bytes than its process's share."""
    if need <= share:
        return
    if processes == 1:
        raise TooLittleMemory(
            f"this task needs {say_bytes(need)} and may use {say_bytes(share)} ({source}): "
            "cut smaller pieces (--shape, --memory)"
        )
    raise TooLittleMemory(
        f"this task needs {say_bytes(need)} and each of {processes} processes may use {say_bytes(share)} "
        f"({source} of {say_bytes(share * processes)}): "
        "start fewer processes (-p), or cut smaller pieces (--shape, --memory)"
    )


def oom_kills(root: Path = ROOT) -> int:
    """How many processes of this control group the kernel has killed for want of memory; 0 where it does not say."""
    for folder in _groups(root, "memory"):
        for file in ("memory.events", "memory.oom_control"):
            found = re.search(r"^oom_kill (\d+)$", _read(folder / file), re.MULTILINE)
            if found:
                return int(found[1])
    return 0


def _memory_limits(root: Path) -> Iterator[int]:
    for folder in _groups(root, "memory"):
        for file in ("memory.max", "memory.limit_in_bytes"):
            text = _read(folder / file).strip()
            if text.isdecimal():
                yield int(text)


def _core_quotas(root: Path) -> Iterator[float]:
    for folder in _groups(root, "cpu"):
        quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
        if not quota:
            quota = _read(folder / "cpu.cfs_quota_us").strip()
            period = _read(folder / "cpu.cfs_period_us").strip()
        if quota.isdecimal() and period.isdecimal() and int(period) > 0:
            yield int(quota) / int(period)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """This process's control groups, of both versions, each followed by those that it lies in.

    Within a container the path may be that of the host; then what is left of it is the mounted root.
    """
    mounts = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mount = mounts / controllers if controllers else mounts
        if controllers and not mount.is_dir():
            mount = mounts / controller
        folder = mount / path.strip("/")
        yield folder
        while folder != mount:
            folder = folder.parent
            yield folder


def _slurm_memory(environ: Mapping[str, str]) -> Iterator[int]:
    for megabytes in _whole_numbers(environ, "SLURM_MEM_PER_NODE"):
        yield megabytes * MIB
    for megabytes in _whole_numbers(environ, "SLURM_MEM_PER_CPU"):
        for cores in _whole_numbers(environ, "SLURM_CPUS_ON_NODE"):
            yield megabytes * MIB * cores


def _whole_numbers(environ: Mapping[str, str], name: str) -> Iterator[int]:
    """The variable's number, if it has one; SLURM says 0 where it means all there is."""
    text = environ.get(name, "").strip()
    if text.isdecimal() and int(text) > 0:
        yield int(text)


def _address_space() -> Iterator[int]:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        yield soft


def _read(file: Path) -> str:
    """A file of the kernel's, or nothing where this system has no such file or shows it to nobody."""
    try:
        return file.read_text()
    except OSError:
        return ""
