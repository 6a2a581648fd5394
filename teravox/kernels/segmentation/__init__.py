"""The steps of a segmentation as functions on arrays: predict voxels, create supervoxels, agglomerate them."""
