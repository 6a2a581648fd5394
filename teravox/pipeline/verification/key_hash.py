"""Keys as numbers of 64 bits, so that millions of them can be remembered."""

from __future__ import annotations

import hashlib


def hash_key(key: str) -> int:
    """64 bits for a key; of a hundred million keys, two share one with a chance of 1 in 4000."""
    return int.from_bytes(hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=8).digest(), "little")
