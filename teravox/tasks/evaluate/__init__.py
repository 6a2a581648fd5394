"""Compare a segmentation with the truth: VI, Rand, overlap and matched objects."""
