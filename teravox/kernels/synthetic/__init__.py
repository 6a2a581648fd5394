"""Volumes like those of microscopes, with the truth about them: of any size, and made box by box.

What a voxel holds depends on nothing but its place, the size of the volume and the seed. So boxes may be made in any order, by
any number of processes, and fit each other to the byte.
"""
