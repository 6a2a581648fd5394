"""Joins fragments into skeletons: one tree for each connected part of a label."""
