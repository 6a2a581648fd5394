"""Layers: Precomputed data sets, read and written box by box."""
