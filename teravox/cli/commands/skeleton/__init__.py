"""Center lines of labels, for Neuroglancer and for files."""
