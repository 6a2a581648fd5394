"""Work on images and segmentations."""
