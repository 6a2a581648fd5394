"""A container without an engine: the image's command and environment, as a pod would have them, in a process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.dockerfile import read_dockerfile
from deploy.manifests import Manifest, environ, pod

# A root that nobody writes to, a /tmp of its own, the test's folder as the only volume, and no capabilities.
CLOSED = """
mount --bind "$0" /mnt && mount -t tmpfs tmpfs /tmp && mkdir -p "$0" && mount --move /mnt "$0"
mount -o remount,ro,bind /
exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all -- "$@"
"""
COMMON = ("COVERAGE_", "TERAVOX_TEST_PROCESS")  # of the tests' own


class Container:
    def __init__(self, process: subprocess.Popen[bytes], log: Path, patience: int) -> None:
        self._process = process
        self._log = log
        self._patience = patience

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def tell_to_stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """What a kubelet does: SIGTERM, the pod's time to end, SIGKILL; and the exit code."""
        self.tell_to_stop()
        return self.wait(self._patience)

    def wait(self, seconds: float | None = None) -> int:
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


@contextmanager
def container(manifests: list[Manifest], folder: Path, changes: Mapping[str, str]) -> Iterator[Container]:
    """The workers' container, gone after the block; `changes` are the settings that a user would write into an overlay."""
    spec, image = pod(manifests), read_dockerfile()[-1]
    (worker,) = spec["containers"]
    installed = Path(sys.executable).parent
    said = {**image.environ({"PATH": os.environ["PATH"]}), **environ(manifests), **changes}
    said["PATH"] = said["PATH"].replace("/opt/teravox/bin", str(installed))
    said |= {name: os.environ[name] for name in os.environ if name.startswith(COMMON)}
    words = [*worker.get("command", image.last("ENTRYPOINT").words), *worker.get("args", image.last("CMD").words)]
    log = folder / "container.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*closed(folder), *words], env=said, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield Container(process, log, spec["terminationGracePeriodSeconds"])
    finally:
        process.kill()
        process.wait()


def closed(folder: Path) -> Sequence[str]:
    """The words that close a process in; none where we may not, as on a laptop."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None:
        return []
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return ["unshare", "--mount", "sh", "-ec", CLOSED, str(folder)] if tried.returncode == 0 else []
