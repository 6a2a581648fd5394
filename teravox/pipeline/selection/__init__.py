"""Layers with some of the labels of another one."""
