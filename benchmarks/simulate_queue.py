"""Plays many histories of the folder queue in a simulated file system, and says how many and how fast.

python -m benchmarks.simulate_queue --seeds 10000 --first 0
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from faults.simulated_queue import Violation, play


def play_some(seeds: range, steps: int) -> tuple[int, str]:
    """Steps taken in these histories, and the first violation."""
    taken = 0
    for seed in seeds:
        try:
            taken += play(seed, steps)
        except Violation as violation:
            return taken, str(violation)
    return taken, ""


def main() -> int:
    parser = argparse.ArgumentParser(description="Play histories of the folder queue's protocol.")
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="play again from this seed")
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    began = time.perf_counter()
    last = options.first + options.seeds
    parts = [range(start, min(start + 250, last)) for start in range(options.first, last, 250)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(play_some, parts, [options.steps] * len(parts)))
    seconds = time.perf_counter() - began
    taken = sum(steps for steps, _ in results)
    violations = [text for _, text in results if text]
    print(f"{options.seeds:,} seeds, {taken:,} steps, {seconds:.1f} s, {seconds / max(taken, 1) * 1e6:.1f} µs a step")
    for text in violations:
        print(text)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
