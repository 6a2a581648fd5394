"""Meshes and skeletons, for tests of what is the same for both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from layers.make import make_layer
from meshes import meshed_layers
from meshes.meshed_layers import BIG, make_meshed, volume
from skeletons import skeletal_layers
from skeletons.skeletal_layers import make_skeletal

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.reading import open_meshes
from teravox.pipeline.objects.copying.job import ShardObjects, TransferObjects
from teravox.pipeline.objects.removal.remove import RemoveObjects
from teravox.pipeline.objects.sort import MESH, SKELETON, Sort
from teravox.pipeline.skeletons.skeleton_source import SkeletonSource
from teravox.tasks.mesh.rm import Rm as RemoveMeshes
from teravox.tasks.mesh.transfer import Transfer as TransferMeshes
from teravox.tasks.shard.mesh import Mesh as ShardMeshes
from teravox.tasks.shard.skeleton import Skeleton as ShardSkeletons
from teravox.tasks.skeleton.rm import Rm as RemoveSkeletons
from teravox.tasks.skeleton.transfer import Transfer as TransferSkeletons


class Objects(NamedTuple):
    """A sort of objects, and what is done with it."""

    sort: Sort
    forms: tuple[str, ...]
    labels: list[int]  # that have objects in the layers that are made
    make: Callable[[Path, str, str], str]  # a layer with objects of a form in a folder of a name
    read: Callable[[str], list[int]]  # the labels of a layer whose objects can be read
    transfer: type[TransferObjects]
    shard: type[ShardObjects]
    remove: type[RemoveObjects]


def read_meshes(path: str) -> list[int]:
    source = open_meshes(Layer.open(path, fresh=True))
    return sorted(label for label in source.labels() if source.get(label) is not None)


def read_skeletons(path: str) -> list[int]:
    return sorted(label for label, _ in SkeletonSource.open(Layer.open(path, fresh=True)).each())


MESHES = Objects(
    sort=MESH,
    forms=meshed_layers.FORMS,
    labels=[7, 300, BIG],
    make=lambda folder, form, name: make_meshed(folder, form, mesh=name).path,
    read=read_meshes,
    transfer=TransferMeshes,
    shard=ShardMeshes,
    remove=RemoveMeshes,
)
SKELETONS = Objects(
    sort=SKELETON,
    forms=skeletal_layers.FORMS,
    labels=[7, 12, 300, BIG],
    make=lambda folder, form, name: make_skeletal(folder, form, name=name).path,
    read=read_skeletons,
    transfer=TransferSkeletons,
    shard=ShardSkeletons,
    remove=RemoveSkeletons,
)
BOTH = (MESHES, SKELETONS)
both_sorts = pytest.mark.parametrize("objects", BOTH, ids=[objects.sort.many for objects in BOTH])
every_form = pytest.mark.parametrize(
    ("objects", "form"), [pytest.param(one, form, id=f"{one.sort.many}-{form}") for one in BOTH for form in one.forms]
)


def make(objects: Objects, folder: Path, form: str = "sharded") -> str:
    """A layer with objects, in the folder that is usual for them."""
    return objects.make(folder, form, objects.sort.word)


def make_target(folder: Path) -> str:
    """A layer without objects, where they can go."""
    return make_layer(folder, volume()[..., None], chunk=(16, 16, 16), offset=(5, -7, 11), type="segmentation")
