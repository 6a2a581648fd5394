"""Takes the steps of the folder queue on a real file system."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from teravox.pipeline.errors import QueueTrouble
from teravox.pipeline.message import MOST_BYTES
from teravox.pipeline.queues.folder_names import FOLDERS
from teravox.pipeline.queues.folder_nudge import Nudge, lies_on_ceph
from teravox.pipeline.queues.folder_steps import Steps
from teravox.pipeline.queues.steady import steady_time

T = TypeVar("T")
NOTHING = contextlib.nullcontext()
CLOCK_EVERY = 15.0  # seconds between two looks at the file server's clock


class FolderDisk:
    """The folders of one queue; links inside them are not followed."""

    def __init__(self, root: Path, worker: str) -> None:
        self.root = root
        self._base = f"{root}/"
        self._probe = f"{root}/tmp/{worker}.clock"
        self._pass: Iterator[os.DirEntry[str]] | None = None
        self._offset = 0.0
        self._asked = float("-inf")
        self._nudge: Nudge | None = None
        self._words = {
            "now": self.now,
            "scan": self.scan,
            "changed": self.changed,
            "read": self.read,
            "write": self.write,
            "rename": self.rename,
            "exists": self.exists,
            "unlink": self.unlink,
        }

    def take(self, steps: Steps[T]) -> T:
        """Take all steps of an operation; what the file system refuses becomes one sentence."""
        words = self._words
        try:
            action = next(steps)
            while True:
                try:
                    with self._nudge.watching() if self._nudge else NOTHING:
                        result = words[action[0]](*action[1:])  # type: ignore[operator]  # each has its own arguments
                except OSError as error:
                    action = steps.throw(error)
                else:
                    action = steps.send(result)
        except StopIteration as end:
            answer: T = end.value
            return answer
        except OSError as error:
            raise self.trouble(error) from error

    def trouble(self, error: OSError) -> QueueTrouble:
        """The sentence for what the file system refused."""
        remedy = {
            errno.ENOSPC: "free some space and go on; nothing is lost",
            errno.EDQUOT: "your quota is used up (bytes or number of files); nothing is lost",
            errno.EACCES: "workers and submitters need to read and write in it",
            errno.EPERM: "workers and submitters need to read and write in it",
            errno.EROFS: "workers and submitters need to write in it",
            errno.ENOENT: "make it with: teravox queue create " + str(self.root),
        }.get(error.errno or 0, "is the file system still there?")
        where = error.filename2 or error.filename or self.root
        return QueueTrouble(f"the queue {self.root} cannot be used: {error.strerror} ({where}); {remedy}")

    @contextlib.contextmanager
    def speaking(self) -> Iterator[None]:
        """Whatever the file system refuses in the block becomes one sentence."""
        try:
            yield
        except OSError as error:
            raise self.trouble(error) from error

    def create(self) -> None:
        """Make the folders, for the owner only; safe to repeat."""
        with self.speaking():
            self.root.mkdir(parents=True, exist_ok=True)
            for name in FOLDERS:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(self._base + name, 0o700)
        self.check()

    def check(self) -> None:
        """Refuse a folder that is no queue, or one whose parts are links to somewhere else."""
        for name in FOLDERS:
            try:
                mode = os.lstat(self._base + name).st_mode
            except OSError as error:
                if error.errno in {errno.ENOENT, errno.ENOTDIR}:
                    raise QueueTrouble(
                        f"there is no queue at {self.root} ({name}/ is missing); "
                        f"make one with: teravox queue create {self.root}"
                    ) from None
                raise self.trouble(error) from error
            if not stat.S_ISDIR(mode):
                raise QueueTrouble(f"{self.root}/{name} is not a folder; links are not followed inside a queue")
        if lies_on_ceph(self._base):
            self._nudge = Nudge(f"{self._probe}.nudge")

    def now(self) -> float:
        """Unix time by the file server's clock, asked for every few seconds and kept by this machine's pulse."""
        pulse = steady_time()
        if pulse - self._asked > CLOCK_EVERY:
            probe = os.open(self._probe, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.utime(probe)
                self._offset = os.fstat(probe).st_mtime - steady_time()
            finally:
                os.close(probe)
            self._asked = pulse
        return steady_time() + self._offset

    def scan(self, most: int) -> list[str]:
        if self._pass is None:
            self._pass = os.scandir(self._base + "queue")
        names = [entry.name for entry in islice(self._pass, most)]
        if not names:
            self._pass = None
        return names

    def changed(self) -> float:
        return os.stat(self._base + "queue").st_mtime

    def read(self, path: str) -> bytes:
        """As much as a message may hold and one byte more; b"" for what is no file: a link, a folder, a pipe."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe would wait for a writer
        try:
            file = os.open(self._base + path, flags)
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link; a socket
                return b""
            raise
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                return b""
            return os.read(file, MOST_BYTES + 1)
        finally:
            os.close(file)

    def write(self, path: str, data: bytes) -> None:
        file = os.open(self._base + path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(file, left) :]
        except OSError:
            os.close(file)
            with contextlib.suppress(OSError):  # the first error is the one to tell
                os.unlink(self._base + path)
            raise
        os.close(file)

    def rename(self, old: str, new: str) -> None:
        os.rename(self._base + old, self._base + new)

    def exists(self, path: str) -> bool:
        try:
            os.stat(self._base + path, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def unlink(self, path: str) -> None:
        os.unlink(self._base + path)

    def names(self, folder: str) -> Iterator[str]:
        """All names in one of the queue's folders."""
        with self.speaking(), os.scandir(self._base + folder) as entries:
            for entry in entries:
                yield entry.name

    def sweep(self, older_than: float) -> None:
        """Remove what dead processes left in tmp/ and workers/."""
        limit = self.now() - older_than
        for folder in ("tmp", "workers"):
            for name in self.names(folder):
                path = f"{folder}/{name}"
                with contextlib.suppress(FileNotFoundError):
                    if os.lstat(self._base + path).st_mtime < limit:
                        self.unlink(path)

    def close(self) -> None:
        if self._nudge:
            self._nudge.close()
        with contextlib.suppress(OSError):  # a queue that is gone needs no tidying
            os.unlink(self._probe)
