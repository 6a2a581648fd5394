"""Learning from a few labels, as functions on arrays: features of voxels, classifiers, supervoxels, uncertainty."""
