"""What a piece of a job takes, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import NamedTuple

import msgspec

from teravox.pipeline.job import AnyJob

RUN_ALONE = """
import importlib, sys, msgspec
from pathlib import Path

def said(word):  # ru_maxrss would tell of the parent, too
    return int(Path("/proc/self/status").read_text().split(word + ":")[1].split()[0]) * 1024

words = iter(sys.argv[1:])
for module, name, text, number in zip(words, words, words, words):
    job = msgspec.json.decode(text, type=getattr(importlib.import_module(module), name))
    before = said("VmRSS")
    job.run(job.pieces()[int(number)])
print(said("VmHWM"), said("VmHWM") - before)
"""


class Taken(NamedTuple):
    """The bytes of a process that ran a piece."""

    peak: int
    growth: int  # by how much that is more than it had when it began with the piece


def measure_memory(job: AnyJob, piece: int = 0, *, warm: AnyJob | None = None) -> Taken:
    """What one of the pieces of a prepared job takes; the first one of `warm`, which loads the libraries, is run before."""
    words = [sys.executable, "-c", RUN_ALONE]
    for one, number in ((warm, 0), (job, piece)):
        if one is not None:
            kind = type(one)
            words += [kind.__module__, kind.__name__, msgspec.json.encode(one).decode(), str(number)]
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    peak, growth = map(int, ran.stdout.split())
    return Taken(peak, growth)
