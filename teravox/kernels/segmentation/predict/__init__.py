"""Built-in steps that predict: how likely each voxel is membrane, or belongs to each class."""
