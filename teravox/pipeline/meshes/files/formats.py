"""The formats of files that a mesh can be written in, by their endings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from teravox.pipeline.meshes.files import glb, obj, ply, stl
from teravox.pipeline.meshes.mesh import Mesh

Format = Literal["ply", "obj", "stl", "glb"]
FORMATS: tuple[Format, ...] = get_args(Format)
ENCODERS: dict[Format, Callable[[Mesh, str], bytes]] = {
    "ply": ply.encode,
    "obj": obj.encode,
    "stl": stl.encode,
    "glb": glb.encode,
}
