"""Which filters at which sigmas make the features of a voxel, and how this is said in one line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

FILTERS = (
    "gaussian-smoothing",
    "laplacian-of-gaussian",
    "gaussian-gradient-magnitude",
    "difference-of-gaussians",
    "structure-tensor-eigenvalues",
    "hessian-of-gaussian-eigenvalues",
)
SIGMAS = (0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
TENSOR, HESSIAN = FILTERS[4:]  # which make eigenvalues

_MOST_SIGMA = 100.0  # a box would need a margin of 350 voxels
_FLAT = "flat"


class Feature(NamedTuple):
    """One filter at one sigma, which counts in voxels of the finest axis."""

    filter: str
    sigma: float
    flat: bool = False  # slice by slice, in 2-D

    def __str__(self) -> str:
        return f"{self.filter}:{self.sigma:g}{f':{_FLAT}' if self.flat else ''}"

    @property
    def width(self) -> int:
        """How many columns of each channel it makes: eigenvalues come largest first."""
        return (2 if self.flat else 3) if self.filter in (TENSOR, HESSIAN) else 1


def _check(feature: Feature) -> None:
    if feature.filter not in FILTERS:
        raise ValueError(f"there is no filter {feature.filter!r}: there are {', '.join(FILTERS)}")
    if not 0 < feature.sigma <= _MOST_SIGMA:
        raise ValueError(
            f"the sigma of {feature.filter} is {feature.sigma:g}, but must be above 0 and at most {_MOST_SIGMA:g}"
        )


@dataclass(frozen=True)
class Selection:
    """The features that are computed, in the order of their columns."""

    chosen: tuple[Feature, ...]

    def __post_init__(self) -> None:
        chosen = tuple(Feature(name, float(sigma), bool(flat)) for name, sigma, flat in self.chosen)
        for feature in chosen:
            _check(feature)
        if not chosen:
            raise ValueError("no features are chosen: give at least one filter and sigma")
        twice = [feature for number, feature in enumerate(chosen) if feature in chosen[:number]]
        if twice:
            raise ValueError(f"the feature {twice[0]} is chosen twice")
        object.__setattr__(self, "chosen", chosen)

    def __iter__(self) -> Iterator[Feature]:
        return iter(self.chosen)

    def __len__(self) -> int:
        return len(self.chosen)

    def columns(self, channels: int = 1) -> int:
        """How many numbers a voxel gets."""
        return channels * sum(feature.width for feature in self.chosen)


def matrix(filters: Iterable[str] = FILTERS, sigmas: Iterable[float] = SIGMAS, *, flat: bool = False) -> Selection:
    """Each of the filters at each of the sigmas, filter by filter."""
    sigmas = tuple(sigmas)
    return Selection(tuple(Feature(name, sigma, flat) for name in filters for sigma in sigmas))


DEFAULT = matrix(sigmas=(0.7, 1.6, 3.5))


def parse(lines: Iterable[str]) -> Selection:
    """From lines such as `hessian-of-gaussian-eigenvalues:1.6,3.5` or `all:0.7:flat`, where `all` is every filter or sigma.

    Empty lines, and what follows a #, are left out. The columns are in ilastik's order, filter by filter, whatever the
    order of the lines.
    """
    chosen = [feature for line in lines if (text := line.partition("#")[0].strip()) for feature in _parse(text)]
    return Selection(tuple(sorted(set(chosen), key=lambda feature: (FILTERS.index(feature.filter), *feature[1:]))))


def lines(selection: Selection) -> list[str]:
    """What `parse` reads, a line for each filter."""
    sigmas: dict[tuple[str, bool], list[str]] = {}
    for feature in selection:
        sigmas.setdefault((feature.filter, feature.flat), []).append(f"{feature.sigma:g}")
    return [f"{name}:{','.join(some)}{f':{_FLAT}' if flat else ''}" for (name, flat), some in sigmas.items()]


def feature_names(selection: Selection, channels: int = 1) -> tuple[str, ...]:
    """A name for each column: by feature, then by channel of the image, then by eigenvalue."""
    return tuple(
        f"{feature}{f' of channel {channel}' if channels > 1 else ''}{f' [{number}]' if feature.width > 1 else ''}"
        for feature in selection
        for channel in range(channels)
        for number in range(feature.width)
    )


def _parse(text: str) -> list[Feature]:
    name, *rest = (part.strip() for part in text.split(":"))
    if len(rest) == 2 and rest[1] == _FLAT:
        flat = True
    elif len(rest) == 1:
        flat = False
    else:
        raise ValueError(f"{text!r} is not FILTER:SIGMA,… or FILTER:SIGMA,…:{_FLAT}")
    sigmas = SIGMAS if rest[0] == "all" else tuple(_number(sigma, text) for sigma in rest[0].split(","))
    found = [Feature(each, sigma, flat) for each in (FILTERS if name == "all" else (name,)) for sigma in sigmas]
    for feature in found:
        _check(feature)
    return found


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise ValueError(f"{text.strip()!r} in {where!r} is not a sigma, such as 1.6")
    return number
