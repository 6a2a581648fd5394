"""Joining the labels of blocks to bodies of the whole volume."""
