"""What it takes to have chunks on their way: figures for the memory that pieces promise."""

from __future__ import annotations

LIBRARIES = 200_000_000  # bytes that the interpreter and the libraries take
COPIES = 5  # of each chunk that is on its way: voxels, encoded, packed, and what the codecs need
A_CHUNK = 1000  # bytes of knowing about one: its box, its number, its place

# How much larger than their voxels chunks of noise can become; those of images and labels shrink.
GROWTH = {"compressed_segmentation": 1.6, "compresso": 1.2, "crackle": 2.2}
USUAL_GROWTH = 1.1
