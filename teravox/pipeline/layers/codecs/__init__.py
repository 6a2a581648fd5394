"""One file for each family of encodings: voxels of a chunk into bytes and back, with the bytes checked first."""
