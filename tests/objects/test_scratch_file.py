"""A scratch file keeps what is written into it, has no name, and says when there is no room for it."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from teravox.kernels.scratch import longs
from teravox.pipeline.errors import TooLittleMemory
from teravox.pipeline.objects.scratch_file import ScratchFile


@pytest.fixture(autouse=True)
def tempdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("most", [0, 10**9])
def test_what_is_written_stays_whether_memory_lets_go_of_it_or_not(tempdir: Path, most: int) -> None:
    count = 1 << 20
    with ScratchFile(8 * (count + 1), most) as scratch:
        array = longs(scratch, count)
        for first in range(0, count, 1 << 14):
            array[first : first + (1 << 14)] = np.arange(first, first + (1 << 14))
        assert np.array_equal(array, np.arange(count))
        assert list(tempdir.iterdir()) == []  # so nothing is left of a process that is killed
    assert int(array[-1]) == count - 1


@pytest.mark.skipif(sys.platform != "linux", reason="only there room on disk is taken beforehand")
def test_too_little_room_on_disk_is_said_before_anything_is_done(
    tempdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(TooLittleMemory, match=rf"--memory: .* {tempdir}, .* 5\.0 MB: No space left .* TMPDIR"):
        ScratchFile(5_000_000, 0).__enter__()
