"""What a pipeline file says: steps, what each waits for, and what to look at when they are done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class PipelineStep(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[step]]`: a command that makes tasks, and its options as the file gives them."""

    name: str
    do: str
    after: tuple[str, ...]
    options: Mapping[str, Any]  # whatever TOML holds, with the variables replaced


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """The table `[scene]`: layers to look at together, and where the state of Neuroglancer is saved."""

    layers: tuple[str, ...]
    output: str | None = None


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline file; its steps stand in an order in which each comes after all that it waits for."""

    path: str
    steps: tuple[PipelineStep, ...]
    scene: Scene | None = None
