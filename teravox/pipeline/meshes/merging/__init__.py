"""Joins fragments into meshes of several levels of detail, cut into the cells of octrees."""
