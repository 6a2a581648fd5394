"""Removes the meshes that a layer names. It stops to name them first, so it never names what is half removed."""

from __future__ import annotations

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.mesh_info import mesh_folder, read_mesh_info
from teravox.pipeline.meshes.result_folder import check_dir
from teravox.pipeline.storage.folders import remove_folder
from teravox.pipeline.storage.urls import confine

GOING = "removed_mesh"  # the word in a layer's info under which a folder stands that is being removed


def folder_to_remove(layer: Layer, dir: str | None) -> str:
    """The folder that was asked for, else that of a removal that has begun, else the one that the layer names."""
    folder = (going_folder(layer) or mesh_folder(layer)) if dir is None else dir
    check_dir(layer, confine(folder, layer.url))
    is_known = folder in (layer.raw.get("mesh"), layer.raw.get(GOING))
    if not is_known and layer.store.get(f"{folder}/info") is None:
        raise BadUsage(
            f"--dir: {layer.url} has no meshes in {folder}: it has no info, and the info of the layer does not name it"
        )
    return folder


def going_folder(layer: Layer) -> str | None:
    """The folder whose removal has begun."""
    going = layer.raw.get(GOING)
    return going if isinstance(going, str) else None


def say_what(layer: Layer, folder: str) -> str:
    """What is going to be lost, as a sentence."""
    from teravox.pipeline.meshes.removal.size import say_size

    info, _ = read_mesh_info(layer.store, folder)
    named = ", which its info names" if folder == layer.raw.get("mesh") else ""
    return f"This removes from {layer.url}, for ever: the {info.form} meshes in {folder}{named} ({say_size(layer, folder)})."


def stop_naming(layer: Layer, folder: str) -> None:
    """Take a folder out of the info of the layer, which notes that it is being removed; safe to repeat."""
    raw = layer.raw
    if raw.get("mesh") == folder:
        del raw["mesh"]
        raw[GOING] = folder
        layer.write_info(raw)


def refuse_named(layer: Layer, folder: str) -> None:
    """Raise BadInput where a layer names the folder again: somebody made meshes there since the job was given."""
    if layer.raw.get("mesh") == folder:
        raise BadInput(f"{layer.url} names {folder} again, so new meshes lie there: nothing of it is removed")


def forget_folder(layer: Layer, folder: str) -> None:
    """Remove what is left of a folder, at last its info; safe to repeat."""
    refuse_named(layer, folder)
    remove_folder(layer.store, folder)
    raw = layer.raw
    if raw.get(GOING) == folder:
        del raw[GOING]
        layer.write_info(raw)
