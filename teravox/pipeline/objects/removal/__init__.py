"""Meshes, skeletons and fragments, removed for ever."""
