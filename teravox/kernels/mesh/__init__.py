"""Surfaces of labels: made of voxels, welded, simplified."""
