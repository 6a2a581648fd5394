"""A SLURM cluster of one node: a real slurmctld, slurmd and munged on loopback, as whoever runs the tests."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from servers.daemon import find_program, free_ports, run, running, wait_until

MEGABYTES = 4000  # what the node says it has

CONF = """\
ClusterName=trial
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=sched_interval=1,batch_sched_delay=0
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
KillWait=30
MaxArraySize=1001
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={megabytes} State=UNKNOWN
PartitionName=all Nodes=node Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
"""


class Slurm:
    """The commands of a cluster that runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"SLURM_CONF": str(folder / "slurm.conf")}

    def submit(self, *command: str | Path) -> str:
        """Hand in a job; its number."""
        return self.call("sbatch", "--parsable", *command).strip()

    def call(self, program: str, *words: str | Path) -> str:
        return run([find_program(program), *words], environ=self.environ)

    def states(self, job: str) -> dict[str, str]:
        """The states of a job's parts that have not left the list of jobs yet."""
        lines = self.call("squeue", "--noheader", "--array", "--states=all", "--format=%i %T", "--jobs", job)
        return dict(line.split() for line in lines.splitlines() if line.strip())

    def running(self, job: str) -> list[str]:
        return sorted(part for part, state in self.states(job).items() if state == "RUNNING")

    def exit_code(self, part: str) -> str:
        """How one part of a job ended, as SLURM writes it: `code:signal`."""
        words = self.call("scontrol", "show", "job", part).split()
        return next(word.partition("=")[2] for word in words if word.startswith("ExitCode="))


@contextmanager
def slurm() -> Iterator[Slurm]:
    """A cluster while the block lasts; its jobs end with it."""
    programs = {name: find_program(name) for name in ("munged", "slurmctld", "slurmd", "sbatch", "sinfo")}
    # Not below pytest's folders: the path of a socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    cluster = Slurm(folder)
    try:
        with ExitStack() as stack:
            _start_munge(stack, programs["munged"], folder)
            _write_conf(folder)
            _start(stack, [programs["slurmctld"], "-D", "-c"], cluster, "slurmctld")
            _start(stack, [programs["slurmd"], "-D", "-c", "-N", "node"], cluster, "slurmd")
            wait_until(lambda: cluster.call("sinfo", "-h", "-o", "%T").strip() == "idle", "the node is not idle")
            stack.callback(_end_jobs, cluster)
            yield cluster
    finally:
        shutil.rmtree(folder)


def _start_munge(stack: ExitStack, program: str, folder: Path) -> None:
    key, address = folder / "munge.key", folder / "munge.socket"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    own = [f"--{name}-file={folder}/munge.{name}" for name in ("log", "pid", "seed")]
    command = [program, "--foreground", "--force", f"--key-file={key}", f"--socket={address}", *own]
    stack.enter_context(running(command, folder / "munged.out", is_up=lambda: _accepts(address)))


def _accepts(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        return line.connect_ex(str(address)) == 0


def _write_conf(folder: Path) -> None:
    for name in ("state", "spool"):
        (folder / name).mkdir()
    controller_port, node_port = free_ports(2)
    conf = CONF.format(
        folder=folder,
        host=socket.gethostname().partition(".")[0],
        user=getpass.getuser(),
        controller_port=controller_port,
        node_port=node_port,
        cpus=os.cpu_count(),
        megabytes=MEGABYTES,
    )
    (folder / "slurm.conf").write_text(conf)


def _start(stack: ExitStack, command: Sequence[str], cluster: Slurm, name: str) -> None:
    def is_up() -> bool:
        ping = [find_program("scontrol"), "ping"] if name == "slurmctld" else [find_program("sinfo"), "-h", "-o", "%T"]
        asked = subprocess.run(
            ping, env={**os.environ, **cluster.environ}, capture_output=True, text=True, timeout=60, check=False
        )
        return "UP" in asked.stdout if name == "slurmctld" else asked.returncode == 0

    log = cluster.folder / f"{name}.out"
    stack.enter_context(running(command, log, environ=cluster.environ, is_up=is_up, patience=30.0))


def _end_jobs(cluster: Slurm) -> None:
    cluster.call("scancel", "--full", "--signal=KILL", "--user", getpass.getuser())
    cluster.call("scancel", "--user", getpass.getuser())
    wait_until(lambda: not cluster.call("squeue", "--noheader").strip(), "jobs of SLURM do not end")
