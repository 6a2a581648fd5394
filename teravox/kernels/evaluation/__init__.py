"""Comparing two label volumes, on arrays."""
