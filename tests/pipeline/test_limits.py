from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from teravox.pipeline.errors import TooLittleMemory
from teravox.pipeline.limits import check_memory, granted_cores, granted_memory, oom_kills

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
MIB = 2**20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system without control groups."""
    return tmp_path


def put(root: Path, file: str, text: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def in_group(root: Path, *lines: str) -> None:
    put(root, "proc/self/cgroup", "".join(line + "\n" for line in lines))


def test_without_other_limits_the_machine_grants_its_memory(root: Path) -> None:
    assert granted_memory(root, {}) == (MACHINE, "the machine's memory")


def test_this_machine_grants_something() -> None:
    memory, source = granted_memory()
    assert 0 < memory <= MACHINE
    assert source.startswith("the ")
    assert 1 <= granted_cores() <= (os.cpu_count() or 1)
    assert oom_kills() >= 0


def test_a_container_of_version_2_grants_its_limit(root: Path) -> None:
    in_group(root, "0::/")
    put(root, "sys/fs/cgroup/memory.max", f"{64 * MIB}\n")
    assert granted_memory(root, {}) == (64 * MIB, "the container's limit")


def test_a_container_of_version_1_grants_its_limit(root: Path) -> None:
    in_group(root, "5:cpu,cpuacct:/a", "4:memory:/docker/abc", "0::/")
    put(root, "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", f"{64 * MIB}\n")
    put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    assert granted_memory(root, {}) == (64 * MIB, "the container's limit")


def test_a_limit_further_up_counts(root: Path) -> None:
    in_group(root, "0::/slice/pod/box")
    put(root, "sys/fs/cgroup/slice/pod/box/memory.max", "max\n")
    put(root, "sys/fs/cgroup/slice/pod/memory.max", f"{32 * MIB}\n")
    put(root, "sys/fs/cgroup/slice/memory.max", f"{64 * MIB}\n")
    assert granted_memory(root, {})[0] == 32 * MIB


def test_a_path_of_the_host_falls_back_on_what_is_mounted(root: Path) -> None:
    in_group(root, "0::/../kubepods/pod1/box")
    put(root, "sys/fs/cgroup/memory.max", f"{48 * MIB}\n")
    put(root, "sys/fs/cgroup/memory.events", "oom 1\noom_kill 1\n")
    assert granted_memory(root, {})[0] == 48 * MIB
    assert oom_kills(root) == 1


@pytest.mark.parametrize(
    ("environ", "granted"),
    [
        ({"SLURM_MEM_PER_NODE": "16"}, 16 * MIB),
        ({"SLURM_MEM_PER_CPU": "4", "SLURM_CPUS_ON_NODE": "8"}, 32 * MIB),
        ({"SLURM_MEM_PER_NODE": "64", "SLURM_MEM_PER_CPU": "4", "SLURM_CPUS_ON_NODE": "2"}, 8 * MIB),
    ],
)
def test_slurm_grants_its_allocation(root: Path, environ: dict[str, str], granted: int) -> None:
    assert granted_memory(root, environ) == (granted, "the SLURM allocation")


@pytest.mark.parametrize(
    "environ", [{"SLURM_MEM_PER_NODE": "0"}, {"SLURM_MEM_PER_CPU": "4"}, {"SLURM_MEM_PER_NODE": ""}]
)
def test_slurm_may_say_nothing_of_memory(root: Path, environ: dict[str, str]) -> None:
    assert granted_memory(root, environ) == (MACHINE, "the machine's memory")


def test_the_least_limit_counts(root: Path) -> None:
    in_group(root, "0::/")
    put(root, "sys/fs/cgroup/memory.max", f"{64 * MIB}\n")
    assert granted_memory(root, {"SLURM_MEM_PER_NODE": "32"})[1] == "the SLURM allocation"
    assert granted_memory(root, {"SLURM_MEM_PER_NODE": "128"})[1] == "the container's limit"


def test_ulimit_is_seen() -> None:
    limit = 2**33
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))\n"
        "from pathlib import Path; from teravox.pipeline.limits import granted_memory\n"
        "print(*granted_memory(Path('/nowhere'), {}))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    assert said == (f"{limit} the limit of ulimit -v" if limit < MACHINE else f"{MACHINE} the machine's memory")


def cores_here() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def test_cores_are_those_that_the_scheduler_allows(root: Path) -> None:
    assert granted_cores(root, {}) == cores_here()


def test_slurm_grants_cores(root: Path) -> None:
    assert granted_cores(root, {"SLURM_CPUS_PER_TASK": "1"}) == 1
    assert granted_cores(root, {"SLURM_CPUS_PER_TASK": "10000"}) == cores_here()


@pytest.mark.parametrize(("quota", "cores"), [("100000 100000", 1), ("50000 100000", 1), ("max 100000", None)])
def test_a_container_of_version_2_grants_cores(root: Path, quota: str, cores: int | None) -> None:
    in_group(root, "0::/box")
    put(root, "sys/fs/cgroup/box/cpu.max", quota + "\n")
    assert granted_cores(root, {}) == (cores or cores_here())


@pytest.mark.parametrize(("quota", "cores"), [("150000", 1), ("-1", None)])
def test_a_container_of_version_1_grants_cores(root: Path, quota: str, cores: int | None) -> None:
    in_group(root, "5:cpu,cpuacct:/box")
    put(root, "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", quota + "\n")
    put(root, "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n")
    assert granted_cores(root, {}) == (cores or cores_here())


def test_controllers_may_be_mounted_one_by_one(root: Path) -> None:
    in_group(root, "5:cpu,cpuacct:/")
    put(root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n")
    put(root, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert granted_cores(root, {}) == 1


def test_kills_for_want_of_memory_are_counted(root: Path) -> None:
    assert oom_kills(root) == 0
    in_group(root, "0::/box")
    put(root, "sys/fs/cgroup/box/memory.events", "low 0\nhigh 0\nmax 12\noom 4\noom_kill 3\noom_group_kill 0\n")
    assert oom_kills(root) == 3


def test_kills_in_a_container_of_version_1_are_counted(root: Path) -> None:
    in_group(root, "4:memory:/box")
    put(root, "sys/fs/cgroup/memory/box/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    assert oom_kills(root) == 2


def test_a_task_within_its_share_may_run() -> None:
    check_memory(4 * 10**9, 4 * 10**9, "the machine's memory", 1)


def test_a_task_that_needs_more_than_its_share_is_refused_with_a_way_out() -> None:
    with pytest.raises(TooLittleMemory) as error:
        check_memory(12_300_000_000, 4 * 10**9, "the SLURM allocation", 4)
    assert str(error.value) == (
        "this task needs 12.3 GB and each of 4 processes may use 4.0 GB (the SLURM allocation of 16.0 GB): "
        "start fewer processes (-p), or cut smaller pieces (--shape, --memory)"
    )
    with pytest.raises(TooLittleMemory) as error:
        check_memory(12_300_000_000, 4 * 10**9, "the machine's memory", 1)
    assert str(error.value) == (
        "this task needs 12.3 GB and may use 4.0 GB (the machine's memory): cut smaller pieces (--shape, --memory)"
    )
