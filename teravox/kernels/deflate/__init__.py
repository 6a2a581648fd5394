"""What writes deflate streams of its own: https://www.rfc-editor.org/rfc/rfc1951."""

from __future__ import annotations

REACH = 1 << 15  # bytes: how far back a stream can say that something repeats
