"""Segmentation block by block: how a volume is cut, what is done with each block, and what the blocks leave for stitching."""
