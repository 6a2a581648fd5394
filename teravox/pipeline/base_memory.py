"""What every task needs before it has read anything: each kind adds its own to it."""

from __future__ import annotations

# The interpreter, numpy, the codecs and the compiled kernels take up to 180 MB, the clients of buckets 70 MB more, and
# compiling a kernel for the first time on a machine 110 MB. It is one figure for all kinds, since a worker's child runs
# tasks of all of them, and what one has loaded stays. A test measures it.
LIBRARIES = 370_000_000  # bytes
