"""Reads our Dockerfile: its stages, and what each of them does."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).parents[2]
DOCKERFILE = CHECKOUT / "Dockerfile"


class Step(NamedTuple):
    """One instruction: `COPY`, and what stands behind it."""

    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        """The list of an instruction in JSON, or the words of one that is not."""
        if self.rest.startswith("["):
            listed: list[str] = json.loads(self.rest)
            return listed
        return shlex.split(self.rest)


class Stage(NamedTuple):
    name: str
    base: str
    steps: list[Step]

    def last(self, word: str) -> Step:
        return [step for step in self.steps if step.word == word][-1]

    def environ(self, arguments: Mapping[str, str]) -> dict[str, str]:
        """What ENV says in it."""
        said: dict[str, str] = {}
        for step in self.steps:
            if step.word == "ENV":
                said |= dict(word.split("=", 1) for word in shlex.split(fill(step.rest, {**arguments, **said})))
        return said


class Copied(NamedTuple):
    """A COPY: from the checkout, or from a stage."""

    stage: str | None
    sources: list[str]
    dest: str
    owner: str | None


def copied(step: Step) -> Copied:
    options = dict(word[2:].split("=", 1) for word in step.words if word.startswith("--"))
    *sources, dest = (word for word in step.words if not word.startswith("--"))
    return Copied(options.get("from"), sources, dest, options.get("chown"))


def read_dockerfile(file: Path = DOCKERFILE) -> list[Stage]:
    """Its stages, the last one being the image."""
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", file.read_text(), flags=re.MULTILINE)).splitlines()
    steps = [Step(*line.split(" ", 1)) for line in lines if line.strip()]
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for step in steps:
        if step.word == "FROM":
            base, *name = fill(step.rest, arguments).split(" AS ")
            stages.append(Stage(name[0] if name else "", base, []))
        elif stages:
            stages[-1].steps.append(step)
        else:
            assert step.word == "ARG", step
            argument, _, usual = step.rest.partition("=")
            arguments[argument] = usual
    return stages


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables replaced; those that nobody set are empty."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: values.get(found[1] or found[2], ""), text)
