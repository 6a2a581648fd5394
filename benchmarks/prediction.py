"""How fast a classifier predicts, and how good each method is: megavoxels a CPU second of one core, AUC on the other half.

Volumes are halves of fib25 (FIB-SEM, isotropic) and ISBI 2012 (thick sections) where TERAVOX_DATA names a folder that has
them, else synthetic neurites. Membranes are learnt from 0.5 % of the voxels of one half and tested on the other.

`speed` compares features and prediction with scikit-image and scikit-learn written plainly, and prediction alone with
LightGBM's own. `few` says what a few labels teach. `methods` prints the table of docs/decisions/0015. All figures are CPU seconds, the least of some runs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning import train as training
from teravox.kernels.learning.classes import make_classes
from teravox.kernels.learning.features import compute
from teravox.kernels.learning.forest import Forest
from teravox.kernels.learning.model import Model, model_to_bytes
from teravox.kernels.learning.scores import count_curve, roc_auc
from teravox.kernels.learning.selection import DEFAULT, FILTERS, SIGMAS, Selection, matrix
from teravox.kernels.learning.train import train_forest
from teravox.kernels.segmentation.predict.classifier import predict
from teravox.kernels.segmentation.step_file import StepFile, hash_of
from teravox.kernels.synthetic.neurites import draw_neurites

Floats = NDArray[np.float32]
Zyx = tuple[float, float, float]
SHARE = 0.005  # of the voxels of the half that is learnt from
REPEATS = 3
FEW, DRAWS = (60, 300, 1200), 4
APART = 10  # voxels between the halves


class Volume(NamedTuple):
    name: str
    gray: NDArray[np.uint8]
    is_membrane: NDArray[np.bool_]
    resolution: Zyx
    flat: bool


class Method(NamedTuple):
    name: str
    method: str
    trees: int
    leaves: int


METHODS = [
    Method("boosting 25 x 31", "boosting", 25, 31),
    Method("boosting 50 x 16", "boosting", 50, 16),
    Method("boosting 50 x 31", "boosting", 50, 31),
    Method("boosting 50 x 64", "boosting", 50, 64),
    Method("boosting 100 x 31", "boosting", 100, 31),
    Method("boosting 200 x 31", "boosting", 200, 31),
    Method("forest 50 x 31", "forest", 50, 31),
    Method("forest 100 x 31", "forest", 100, 31),
    Method("forest 100 x 500", "forest", 100, 500),
]


def volumes() -> list[Volume]:
    data = Path(os.environ.get("TERAVOX_DATA", "/nonexistent"))
    found = []
    fib25, isbi = data / "fib25_medulla/train_z000-130.npz", data / "isbi2012/train_z00-20.npz"
    if fib25.exists():
        arrays = np.load(fib25)
        found.append(Volume("fib25", arrays["gray"], between(arrays["groundtruth"]), (10.0, 10.0, 10.0), flat=False))
    if isbi.exists():
        arrays = np.load(isbi)
        found.append(Volume("isbi2012", arrays["raw"], arrays["membrane_gt"] == 0, (50.0, 4.0, 4.0), flat=True))
    if not found:
        size = (128, 128, 64)
        drawn = draw_neurites(size, (0, 0, 0), size, 0)
        truth = np.asarray(drawn.truth).reshape(size).T
        gray = np.ascontiguousarray(np.asarray(drawn.image).reshape(size).T)
        found.append(Volume("synthetic neurites", gray, between(truth), (8.0, 8.0, 8.0), flat=False))
    return found


def between(bodies: NDArray[Any]) -> NDArray[np.bool_]:
    """The voxels at either side of where one body ends, and those of none."""
    found: NDArray[np.bool_] = bodies == 0
    for axis in range(3):
        one, other = np.moveaxis(bodies, axis, 0), np.moveaxis(found, axis, 0)
        differs = one[1:] != one[:-1]
        other[1:] |= differs
        other[:-1] |= differs
    return found


def seconds(do: Callable[[], object], repeats: int = REPEATS) -> float:
    """The CPU seconds of this process, the least of some runs."""
    least = np.inf
    for _ in range(repeats):
        began = time.process_time()
        do()
        least = min(least, time.process_time() - began)
    return float(least)


class Halves(NamedTuple):
    """What is learnt from, and what is tested."""

    learnt: Floats  # by feature and sample
    labels: NDArray[np.int64]
    tested: Floats
    truth: NDArray[np.bool_]


def halve(volume: Volume, selection: Selection) -> Halves:
    values = compute(volume.gray, selection, volume.resolution)
    middle = volume.gray.shape[2] // 2
    rng = np.random.default_rng(0)
    half = volume.is_membrane[:, :, :middle]
    taken = rng.choice(half.size, int(SHARE * half.size), replace=False)
    return Halves(
        np.ascontiguousarray(values[..., :middle].reshape(len(values), -1)[:, taken]),
        half.reshape(-1)[taken].astype(np.int64),
        np.ascontiguousarray(values[..., middle + APART :].reshape(len(values), -1)),
        volume.is_membrane[:, :, middle + APART :].reshape(-1),
    )


def auc(probability: Floats, truth: NDArray[np.bool_]) -> float:
    found = roc_auc(count_curve(truth, probability))
    assert found is not None
    return found


def compare_methods() -> None:
    for volume in volumes():
        sets = {
            "default": matrix(FILTERS, (0.7, 1.6, 3.5), flat=volume.flat),
            "all sigmas": matrix(FILTERS, SIGMAS[1:], flat=volume.flat),
        }
        for name, selection in sets.items():
            halves = halve(volume, selection)
            size = len(halves.labels)
            print(
                f"\n{volume.name}: {len(halves.learnt)} features ({name}), {size:,} labels, {halves.labels.sum():,} of membrane"
            )
            print("| method | AUC | seconds to train | MVx/s |\n| --- | --- | --- | --- |")
            few = halves.tested[:, : min(500_000, halves.tested.shape[1])]
            few = np.ascontiguousarray(few)
            for method in METHODS if name == "default" else METHODS[2:3]:
                forest = _train(method, halves)
                taken = seconds(lambda: _train(method, halves), 1)  # noqa: B023 - called at once
                forest.predict(few[:, :1000].copy())
                quick = few.shape[1] / seconds(lambda: forest.predict(few)) / 1e6  # noqa: B023 - called at once
                found = auc(forest.predict(halves.tested)[:, 1], halves.truth)
                print(f"| {method.name} | {found:.4f} | {taken:.2f} | {quick:.2f} |", flush=True)


def compare_few() -> None:
    """Few labels, as many of either class, with and without the doubt that boosting has of them."""
    for volume in volumes():
        values = compute(volume.gray, DEFAULT, volume.resolution)
        middle = volume.gray.shape[2] // 2
        is_membrane = volume.is_membrane
        tested = np.ascontiguousarray(values[:, ::3, ::2, middle + APART :].reshape(len(values), -1))
        truth = is_membrane[::3, ::2, middle + APART :].reshape(-1)
        print(
            f"\n{volume.name}, mean of {DRAWS} draws\n| labels | boosting without doubt | boosting | forest |\n| --- | --- | --- | --- |"
        )
        for number in FEW:
            found = [
                np.mean(
                    [
                        _learn_few(values, is_membrane, middle, number, draw, tested, truth, *how)
                        for draw in range(DRAWS)
                    ]
                )
                for how in (("boosting", 0), ("boosting", training.MANY), ("forest", 0))
            ]
            print(f"| {number:,} | {' | '.join(f'{one:.4f}' for one in found)} |", flush=True)


def _learn_few(
    values: Floats,
    is_membrane: NDArray[np.bool_],
    middle: int,
    number: int,
    draw: int,
    tested: Floats,
    truth: NDArray[np.bool_],
    method: training.Method,
    many: int,
) -> float:
    """The AUC of a classifier of so many labels."""
    rng = np.random.default_rng(draw)
    half = is_membrane[:, :, :middle]
    places = np.concatenate([rng.choice(np.argwhere(half == one), number // 2, replace=False) for one in (False, True)])
    z, y, x = places.T
    usual, training.MANY = training.MANY, many
    try:
        forest = train_forest(
            np.ascontiguousarray(values[:, z, y, x]), half[z, y, x].astype(np.int64), 2, method=method, seed=draw
        )
    finally:
        training.MANY = usual
    return auc(forest.predict(tested)[:, 1], truth)


def _train(method: Method, halves: Halves) -> Forest:
    return train_forest(
        halves.learnt,
        halves.labels,
        2,
        method=method.method,  # type: ignore[arg-type]  # one of the two
        trees=method.trees,
        leaves=method.leaves,
    )


def compare_speed() -> None:
    import lightgbm
    from skimage.feature import hessian_matrix, hessian_matrix_eigvals, structure_tensor, structure_tensor_eigenvalues
    from skimage.filters import gaussian
    from sklearn.ensemble import RandomForestClassifier  # type: ignore[import-untyped]  # it has no types

    volume = volumes()[0]
    gray = np.ascontiguousarray(volume.gray[:64, :128, :128])
    is_membrane = volume.is_membrane[:64, :128, :128]
    sigmas = (0.7, 1.6, 3.5)
    selection = matrix(
        ("gaussian-smoothing", "structure-tensor-eigenvalues", "hessian-of-gaussian-eigenvalues"), sigmas
    )

    def theirs() -> Floats:
        image = gray.astype(np.float32)
        made = []
        for sigma in sigmas:
            made.append(gaussian(image, sigma, preserve_range=True))
            made += list(structure_tensor_eigenvalues(structure_tensor(image, sigma=sigma)))
            made += list(hessian_matrix_eigvals(hessian_matrix(image, sigma=sigma, use_gaussian_derivatives=False)))
        return np.stack(made).astype(np.float32)

    rng = np.random.default_rng(0)
    taken = rng.choice(gray.size, int(SHARE * gray.size), replace=False)
    labels = is_membrane.reshape(-1)[taken].astype(np.int64)
    ours = compute(gray, selection, volume.resolution)
    flat = ours.reshape(len(ours), -1)
    features = np.ascontiguousarray(flat[:, taken])
    forest = train_forest(features, labels, 2)
    model = Model("voxels", make_classes(["inside", "membrane"]), selection, 1, volume.resolution, forest)
    data = model_to_bytes(model)
    file = StepFile("model", hash_of(data), lambda: data)
    voxels = gray.size / 1e6

    def rate(what: str, do: Callable[[], object], repeats: int = REPEATS) -> float:
        taken = seconds(do, repeats)
        print(f"| {what} | {voxels / taken:.2f} |", flush=True)
        return taken

    print(f"{volume.name}, {gray.shape}, {len(ours)} features\n\n| on one core | MVx/s |\n| --- | --- |")
    predict(gray[:8], None, model=file)
    our_features = rate("features, teravox", lambda: compute(gray, selection, volume.resolution))
    rows = theirs().reshape(len(ours), -1).T.copy()
    their_features = rate("features, scikit-image", theirs, 1)
    our_forest = rate("50 x 31 trees, teravox", lambda: forest.predict(flat))
    booster = lightgbm.train(
        {"objective": "binary", "num_leaves": 31, "learning_rate": 0.15, "num_threads": 1, "verbose": -1},
        lightgbm.Dataset(rows[taken], labels),
        50,
    )
    rate("50 x 31 trees, LightGBM's own prediction", lambda: booster.predict(rows, num_threads=1))
    plain = RandomForestClassifier(100, random_state=0).fit(rows[taken], labels)
    their_forest = rate("100 trees, scikit-learn", lambda: plain.predict_proba(rows), 1)
    whole = rate("the step `classifier`, all of it", lambda: predict(gray, None, model=file))
    print(
        f"\nscikit-image and scikit-learn take {(their_features + their_forest) / whole:.1f} times as long as the step."
    )
    print(f"Of what the step takes, {100 * our_forest / (our_features + our_forest):.0f} % is the trees.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["speed", "methods", "few"], nargs="*", default=["speed", "methods", "few"])
    asked = parser.parse_args().what
    if "speed" in asked:
        compare_speed()
    if "methods" in asked:
        compare_methods()
    if "few" in asked:
        compare_few()


if __name__ == "__main__":
    main()
