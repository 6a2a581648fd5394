"""A page on which people label voxels of an image, and see at once what a classifier makes of that."""
