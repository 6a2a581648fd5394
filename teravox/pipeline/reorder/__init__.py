"""Slices of a volume, put in another order."""
