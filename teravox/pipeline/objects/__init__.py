"""What meshes and skeletons have in common: an object is the one or the other, of a label."""
