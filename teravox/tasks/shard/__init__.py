"""Put the parts of a layer together into few large files."""
