"""Layers of points as Neuroglancer shows them: Precomputed annotations."""
