"""Skeletons of labels: traced through their voxels, joined, pruned."""
