"""Meshes and fragments, removed for ever."""
