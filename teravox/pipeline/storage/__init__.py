"""Storage: bytes on file systems and in buckets, whole or not at all."""
