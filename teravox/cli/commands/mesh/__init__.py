"""Surfaces of labels, for Neuroglancer and for files."""
