"""The places that the operator of a worker allows its tasks; everything, where none is named."""

from __future__ import annotations

from teravox.pipeline.storage.urls import normalize

_places: tuple[str, ...] = ()


def allow_only(places: tuple[str, ...]) -> None:
    """From here on, let the tasks of this process touch nothing but these places and what lies below them."""
    global _places  # noqa: PLW0603 - a process has one operator, and files deep down may name other files
    _places = tuple(normalize(place).rstrip("/") for place in places)


def is_allowed(url: str) -> bool:
    """Compared in their one form, since a path is a place, too."""
    url = normalize(url)
    return not _places or any(url == place or url.startswith(f"{place}/") for place in _places)


def say_allowed() -> str:
    """What is allowed, to end a sentence that refuses something."""
    return f"outside what --allow names: {', '.join(_places)}"
