"""Meshes of a layer: what forge leaves, what merge makes of it, and how all of it is read."""
