"""Copies of layers: cut out, shifted, encoded, chunked and sharded anew, and downsampled on the way."""
