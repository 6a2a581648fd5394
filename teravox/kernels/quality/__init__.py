"""Looking at how good voxels, meshes and skeletons are, on arrays."""
