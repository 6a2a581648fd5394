"""Built-in steps that join supervoxels, a file each."""
