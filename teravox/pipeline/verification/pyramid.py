"""Verifies that each mip is the downsample of the one that it was made of, at sampled places."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.layers.downsampling_options import method_for
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.verification.against_ledger import find_changed
from teravox.pipeline.verification.comparing import LOSSY, box_below, factor_between
from teravox.pipeline.verification.examining import ComparePlace, Question, Recipe
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.images import choose, mips_of
from teravox.pipeline.verification.known_jobs import KnownJob
from teravox.pipeline.verification.look import Look
from teravox.pipeline.verification.parts import Part

PLACES = 16  # of a mip, unless all are to be looked at
VOXELS = 1 << 21  # that a place may be made of


def find_pyramid(look: Look) -> Iterable[Part]:
    """Every mip above another one."""
    for mip in mips_of(look):
        if mip > 0 and look.layer is not None:
            yield Pyramid(look, look.layer, mip)


class Pyramid:
    """One mip, against that of which the task that wrote it has made it."""

    def __init__(self, look: Look, layer: Layer, mip: int) -> None:
        self.place = f"mip {mip} as made of those below"
        self._look = look
        self._layer = layer
        self._mip = mip
        scale = layer.scale(mip)
        self._grid = Grid(scale.bounds, scale.chunk)
        self._chosen = choose(len(self._grid), look, f"pyramid {scale.key}", most=PLACES)

    def steps(self) -> int:
        return len(self._chosen)

    def findings(self) -> Iterator[Finding]:
        for question, answer in self._look.examiners.ask(self._layer, self._questions()):
            assert isinstance(question, ComparePlace)
            if answer.note:
                self._look.counts[f"not checked: {answer.note}"] += 1
                continue
            self._look.counts["places of mips made anew"] += 1
            if answer.what is not None:
                yield from self._blame(question, Finding(answer.what, self._keys(question.box)[0], answer.why))

    def _questions(self) -> Iterator[Question]:
        recipes: dict[str, Recipe | None] = {}
        for number in self._chosen:
            chunk = self._grid[number]
            (job,) = self._look.makers.jobs_of(self._keys(chunk)[:1])
            id = "" if job is None else job.id
            if id not in recipes:
                recipes[id] = recipe_of(self._layer, self._mip, job)
            for box in self._parts(chunk, recipes[id]):
                yield ComparePlace(self._mip, box, recipes[id])
            self._look.step(1)

    def _parts(self, chunk: Box, recipe: Recipe | None) -> Iterable[Box]:
        """What is made anew at once: one place of a chunk, or all of them."""
        if recipe is None:
            cell = math.prod(factor_between(self._layer, self._mip) or (1, 1, 1))
        else:
            cell = math.prod(recipe.factor) ** recipe.step
        size = _shrink(chunk.size, max(1, VOXELS // cell))
        places = Grid(chunk, size)
        if self._look.how.sample is None:
            return places
        return [random.Random(f"{self._look.how.seed} {chunk}").choice(places)]  # noqa: S311 - it keeps no secret

    def _blame(self, place: ComparePlace, finding: Finding) -> Iterator[Finding]:
        """The objects there that have changed since they were written, or else the one that does not follow from them."""
        keys = self._keys(place.box)
        if place.recipe is not None:
            below = box_below(self._layer, self._mip, place.recipe, place.box)
            keys += self._layer.keys(below, place.recipe.base)
        yield from find_changed(self._look, list(dict.fromkeys(keys))) or [finding]

    def _keys(self, box: Box) -> list[str]:
        return self._layer.keys(box, self._mip)


def recipe_of(layer: Layer, mip: int, job: KnownJob | None) -> Recipe | None:
    """How a job has made a mip, by what was asked for; None where that does not say it, as of copies."""
    if job is None:
        return None
    said = job.record.job
    if job.record.kind == "image downsample":
        base = said["mip"]
    elif job.record.kind == "image transfer" and 0 < mip <= said["num_mips"] and not said["all_mips"]:
        base = 0
    else:
        return None
    if mip <= base:
        return None
    return Recipe(
        base=base,
        step=mip - base,
        factor=(said["factor"][0], said["factor"][1], said["factor"][2]),
        method=method_for(layer, said["method"]),
        sparse=said["sparse"],
        fill_missing=said["fill_missing"] or said.get("skip_background", False),
        is_exact=job.record.kind == "image downsample" or layer.scale(base).encoding not in LOSSY,
    )


def _shrink(size: Vec, voxels: int) -> Vec:
    """A size of at most so many voxels, by halving the longest side."""
    sides = list(size)
    while math.prod(sides) > voxels and max(sides) > 1:
        longest = sides.index(max(sides))
        sides[longest] = -(-sides[longest] // 2)
    return (sides[0], sides[1], sides[2])
