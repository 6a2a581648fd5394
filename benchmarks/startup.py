"""How long `--help` takes: teravox against igneous, in turn."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.pairs import Figures, measure_pairs, show


def run(command: list[str]) -> Figures:
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return {"--help: s": wall, "--help: CPU s": usage.ru_utime + usage.ru_stime, "--help: MB": usage.ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, required=True, help="virtual environment that has igneous")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    repeats = 3 if options.quick else 15
    ours = [str(Path(sys.executable).parent / "teravox"), "--help"]
    theirs = [str(options.against / "bin" / "igneous"), "--help"]
    run(ours), run(theirs)  # the first run reads the files from disk
    rows = measure_pairs(repeats, lambda: run(ours), lambda: run(theirs))
    show("Start of the command line against Igneous", rows, repeats=repeats, as_json=options.json)


if __name__ == "__main__":
    main()
