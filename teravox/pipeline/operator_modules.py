"""The modules that the operator of this process named with --plugin: only their functions may be called for a message."""

from __future__ import annotations

_named: set[str] = set()


def name_module(module: str) -> None:
    """From here on, let functions of this module, and of those below it, be called by their names."""
    _named.add(module)


def is_named(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in _named)


def named_modules() -> list[str]:
    return sorted(_named)
