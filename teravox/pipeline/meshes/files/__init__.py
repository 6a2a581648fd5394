"""Meshes as files for other programs."""
