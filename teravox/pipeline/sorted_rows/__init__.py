"""Rows of numbers that are sorted by a key of 64 bits, in objects and ranges, so that no process holds all of a job's."""
