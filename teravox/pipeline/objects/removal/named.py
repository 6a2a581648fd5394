"""Removes the objects that a layer names. It stops to name them first, so it never names what is half removed."""

from __future__ import annotations

from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.info import Json
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.objects.named_folder import named_folder
from teravox.pipeline.objects.removal.size import say_size
from teravox.pipeline.objects.result_folder import check_dir
from teravox.pipeline.objects.sort import Sort
from teravox.pipeline.storage.folders import remove_folder
from teravox.pipeline.storage.urls import confine


def folder_to_remove(layer: Layer, sort: Sort, dir: str | None) -> str:
    """The folder that was asked for, else that of a removal that has begun, else the one that the layer names."""
    folder = (going_folder(layer, sort) or named_folder(layer, sort)) if dir is None else dir
    check_dir(layer, sort, confine(folder, layer.url))
    is_known = folder in (layer.raw.get(sort.word), going_folder(layer, sort))
    if not is_known and layer.store.get(f"{folder}/info") is None:
        raise BadUsage(
            f"--dir: {layer.url} has no {sort.many} in {folder}: it has no info, and the info of the layer does not name it"
        )
    return folder


def going_folder(layer: Layer, sort: Sort) -> str | None:
    """The folder whose removal has begun."""
    going = layer.raw.get(_going(sort))
    return going if isinstance(going, str) else None


def say_what(layer: Layer, sort: Sort, folder: str, form: str) -> str:
    """What is going to be lost, as a sentence."""
    named = ", which its info names" if folder == layer.raw.get(sort.word) else ""
    return f"This removes from {layer.url}, for ever: the {form} {sort.many} in {folder}{named} ({say_size(layer, folder)})."


def stop_naming(layer: Layer, sort: Sort, folder: str) -> None:
    """Take a folder out of the info of the layer, which notes that it is being removed; safe to repeat."""

    def change(raw: Json) -> Json:
        if raw.get(sort.word) == folder:
            del raw[sort.word]
            raw[_going(sort)] = folder
        return raw

    layer.change_info(change)


def refuse_named(layer: Layer, sort: Sort, folder: str) -> None:
    """Raise BadInput where a layer names the folder again: somebody made objects there since the job was given."""
    if layer.raw.get(sort.word) == folder:
        raise BadInput(f"{layer.url} names {folder} again, so new {sort.many} lie there: nothing of it is removed")


def forget_folder(layer: Layer, sort: Sort, folder: str) -> None:
    """Remove what is left of a folder, at last its info; safe to repeat."""
    refuse_named(layer, sort, folder)
    remove_folder(layer.store, folder)

    def change(raw: Json) -> Json:
        if raw.get(_going(sort)) == folder:
            del raw[_going(sort)]
        return raw

    layer.change_info(change)


def _going(sort: Sort) -> str:
    """The word in a layer's info under which a folder stands that is being removed."""
    return f"removed_{sort.word}"
