"""Stitching: the labels of neighbouring blocks are compared where both have seen the same, and joined by a rule."""
