"""Shards: many chunks (or meshes, or skeletons) in one file, in Neuroglancer's `uint64_sharded_v1` format."""
