"""Built-in steps that create supervoxels, a file each."""
