"""Which features a project has chosen."""

from __future__ import annotations

import numpy as np

from teravox.kernels.learning.ilastik.hdf5 import Hdf5, find, numbers, texts
from teravox.kernels.learning.selection import Feature, Selection

NAMES = {
    "GaussianSmoothing": "gaussian-smoothing",
    "LaplacianOfGaussian": "laplacian-of-gaussian",
    "GaussianGradientMagnitude": "gaussian-gradient-magnitude",
    "DifferenceOfGaussians": "difference-of-gaussians",
    "StructureTensorEigenvalues": "structure-tensor-eigenvalues",
    "HessianOfGaussianEigenvalues": "hessian-of-gaussian-eigenvalues",
}
GROUP = "FeatureSelections"


def read_selection(file: Hdf5, *, flat_image: bool) -> Selection:
    """The features, in the order of the forest's columns.

    An image of one slice is filtered in 2-D whatever was chosen, and so does every sigma that the project says it of.
    Projects before ilastik 1.3.2 say nothing of that, and one flag may stand for all sigmas.
    """
    group = find(file, GROUP)
    ids = None if group is None else texts(group, "FeatureIds")
    if ids is None:
        raise ValueError("it has no features: choose some in ilastik, and train it")
    sigmas = numbers(group, "Scales", 1)
    matrix = numbers(group, "SelectionMatrix", 2, "biu")
    if matrix.shape != (len(ids), len(sigmas)):
        raise ValueError(
            f"its matrix of features is {matrix.shape[0]} x {matrix.shape[1]}, for {len(ids)} x {len(sigmas)} of them"
        )
    flat = np.zeros(len(sigmas), np.bool_)
    if find(group, "ComputeIn2d") is not None:
        flat[:] = _flags(numbers(group, "ComputeIn2d", kinds="biu"), len(sigmas))
    unknown = [name for name, row in zip(ids, matrix, strict=True) if row.any() and name not in NAMES]
    if unknown:
        raise ValueError(f"it uses features that are not known here: {', '.join(unknown)}")
    chosen = tuple(
        Feature(NAMES[name], float(sigma), bool(flat_image or flat[at]))
        for name, row in zip(ids, matrix, strict=True)
        for at, sigma in enumerate(sigmas)
        if row[at]
    )
    if not chosen:
        raise ValueError("it has no features: choose some in ilastik, and train it")
    return Selection(chosen)


def _flags(
    said: np.ndarray[tuple[int, ...], np.dtype[np.generic]], sigmas: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    if said.size not in (1, sigmas):
        raise ValueError(f"it says of {said.size} sigmas whether they act in 2-D, and has {sigmas}")
    return said.astype(np.bool_).ravel()
