"""Volumes that no test makes, in the folder that TERAVOX_DATA names."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

DATA = "TERAVOX_DATA"


def real(name: str) -> Path:
    """A file or folder of real data; where it is not there, the test is skipped."""
    folder = os.environ.get(DATA)
    if folder is None or not Path(folder, name).exists():
        pytest.skip(f"{DATA} names no folder that has {name}")
    return Path(folder, name)


def real_cortex() -> NDArray[np.uint32]:
    """A dense segmentation of cortex of 512 voxels cubed, as x, y, z."""
    import crackle

    labels: NDArray[np.uint32] = crackle.decompress(
        gzip.decompress(real("pinky40/connectomics.npy.ckl.gz").read_bytes())
    )
    return labels
