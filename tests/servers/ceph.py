"""A CephFS with its objects in memory: real monitor, object store, metadata server and two FUSE mounts, on loopback.

Two mounts have caches of their own, as two machines would: what one writes, the other must ask for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from servers.daemon import Missing, find_program, free_ports, run, running, wait_until

CONF = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{port}]
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {folder}/keyring
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
log file = {folder}/$name.log
pid file =
run dir = {folder}
crash dir = {folder}
admin socket = {folder}/$name.$pid.asok
[mon]
mon data = {folder}/mon
mon data avail crit = 1
[osd]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = {bytes}
[mds]
mds data = {folder}/mds
"""
CAPABILITIES = {
    "mon.": {"mon": "allow *"},
    "client.admin": {"mon": "allow *", "osd": "allow *", "mgr": "allow *", "mds": "allow *"},
    "osd.0": {"mon": "allow profile osd", "osd": "allow *"},
    "mds.a": {"mon": "allow profile mds", "osd": "allow *", "mds": "allow *"},
}
PROGRAMS = ("ceph-mon", "ceph-osd", "ceph-mds", "ceph-fuse", "ceph", "ceph-authtool", "monmaptool")


@contextmanager
def two_mounts(most_bytes: int = 1 << 30) -> Iterator[tuple[Path, Path]]:
    """Two folders that show the same file system through two clients, while the block lasts."""
    programs = {name: find_program(name) for name in PROGRAMS}
    _check_mounting()
    # Not below pytest's folders: the path of a socket must be short, and a mount must not be swept away with them.
    folder = Path(tempfile.mkdtemp(prefix="ceph-"))
    try:
        with ExitStack() as stack:
            cluster = _Cluster(folder, programs, stack)
            cluster.prepare(most_bytes)
            cluster.start_monitor()
            cluster.start_object_store()
            cluster.start_metadata()
            yield cluster.mount("one"), cluster.mount("two")
    finally:
        _remove(folder)


def second_place(mounts: tuple[Path, Path]) -> list[str]:
    """What to put before a command so that it sees the second mount where others see the first: another machine."""
    one, two = map(str, mounts)
    return [find_program("unshare"), "--mount", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', two, one]


class _Cluster:
    """The steps that make a CephFS, in their order."""

    def __init__(self, folder: Path, programs: dict[str, str], stack: ExitStack) -> None:
        self._folder = folder
        self._programs = programs
        self._stack = stack
        self._fsid = str(uuid.uuid4())
        self._conf = ["-c", str(folder / "ceph.conf")]
        self._keys = folder / "keyring"

    def prepare(self, most_bytes: int) -> None:
        for name in ("mon", "osd", "mds"):
            (self._folder / name).mkdir()
        (port,) = free_ports(1)
        conf = CONF.format(fsid=self._fsid, folder=self._folder, port=port, bytes=most_bytes)
        (self._folder / "ceph.conf").write_text(conf)
        for number, (name, capabilities) in enumerate(CAPABILITIES.items()):
            allowed = [word for service, grant in capabilities.items() for word in ("--cap", service, grant)]
            create = [] if number else ["--create-keyring"]
            run([self._programs["ceph-authtool"], self._keys, *create, "--gen-key", "-n", name, *allowed])
        address = ["--addv", "a", f"[v2:127.0.0.1:{port}]"]
        run([self._programs["monmaptool"], "--create", "--fsid", self._fsid, *address, self._folder / "monmap"])

    def start_monitor(self) -> None:
        made_of = ["--monmap", str(self._folder / "monmap"), "--keyring", str(self._keys)]
        run([self._programs["ceph-mon"], *self._conf, "-i", "a", "--mkfs", *made_of])
        self._serve("ceph-mon", ["-i", "a"], lambda: self._says(["quorum_status"], "a"))
        self._ask("auth", "import", "-i", str(self._keys))

    def start_object_store(self) -> None:
        identity = str(uuid.uuid4())
        self._ask("osd", "new", identity)
        run([self._programs["ceph-osd"], *self._conf, "-i", "0", "--mkfs", "--osd-uuid", identity])
        self._ask("osd", "crush", "add", "osd.0", "1", "root=default", "host=trial")
        self._serve("ceph-osd", ["-i", "0"], lambda: self._says(["osd", "stat"], "1 up"))

    def start_metadata(self) -> None:
        for pool in ("names", "bytes"):
            self._ask("osd", "pool", "create", pool, "4")
        self._ask("fs", "new", "shared", "names", "bytes")
        self._serve("ceph-mds", ["-i", "a"], lambda: self._says(["mds", "stat"], "up:active"))

    def mount(self, name: str) -> Path:
        point = self._folder / name
        point.mkdir()
        self._stack.callback(_unmount, point)
        self._serve("ceph-fuse", ["-n", "client.admin", str(point)], point.is_mount, log=name)
        return point

    def _serve(self, program: str, words: Sequence[str], is_up: Callable[[], bool], *, log: str = "") -> None:
        command = [self._programs[program], *self._conf, "-f", *words]
        out = self._folder / f"{program}{log}.out"
        # A mount is to be taken away in order; what the others hold is for nobody, so they are killed.
        patience = 5.0 if program == "ceph-fuse" else 0.0
        self._stack.enter_context(running(command, out, is_up=is_up, patience=patience))

    def _ask(self, *words: str) -> str:
        return run([self._programs["ceph"], *self._conf, *words])

    def _says(self, question: Sequence[str], answer: str) -> bool:
        """Whether the monitor answers, and has these words in its answer."""
        command = [self._programs["ceph"], *self._conf, "--connect-timeout", "5", *question]
        asked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return asked.returncode == 0 and answer in asked.stdout


def _check_mounting() -> None:
    """Find out whether this process may mount, as root in a container often may not."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        raise Missing(f"CephFS cannot be mounted here: /dev/fuse: {error.strerror}") from None
    tried = subprocess.run([find_program("unshare"), "--mount", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise Missing(f"CephFS cannot be mounted here: {tried.stderr.strip()}")


def _unmount(point: Path) -> None:
    """Take a mount away, whether its client lives or not."""
    if os.path.ismount(point) or not _answers(point):
        subprocess.run(["umount", "--lazy", str(point)], check=False, capture_output=True)
    wait_until(lambda: not os.path.ismount(point), f"{point} is still mounted")


def _answers(point: Path) -> bool:
    try:
        point.stat()
    except OSError:  # its client has died: "transport endpoint is not connected"
        return False
    return True


def _remove(folder: Path) -> None:
    """Remove the folder, and never what a mount that is still there would show."""
    mounts = Path("/proc/mounts").read_text()
    assert f" {folder}/" not in mounts, f"a mount is left below {folder}"
    shutil.rmtree(folder)
