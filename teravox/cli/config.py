"""The config file of an operator: plugins, and defaults of options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from teravox.cli.places import whole_path
from teravox.pipeline.errors import BadUsage


class Config(NamedTuple):
    """What a config file says; the options as their texts would be typed, by the names of their fields."""

    path: str = ""
    plugins: tuple[str, ...] = ()
    options: Mapping[str, str] = {}


def load_config(named: str | None) -> Config:
    """The named file, else ~/.config/teravox/config.toml if it is there; never one of the current folder."""
    if named:
        try:
            return _read(Path(whole_path(named)))
        except FileNotFoundError:
            raise BadUsage(f"--config: there is no file {named}") from None
        except ValueError as error:
            raise BadUsage(f"--config: {error}") from None
    usual = Path("~/.config/teravox/config.toml").expanduser()
    return _read(usual) if usual.is_file() else Config()


def _read(path: Path) -> Config:
    import tomllib

    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadUsage(f"{path} is no TOML file: {error}") from None
    except (PermissionError, IsADirectoryError) as error:
        raise BadUsage(f"{path} cannot be read: {error.strerror}") from None
    plugins = said.pop("plugins", [])
    options = said.pop("options", {})
    if said:
        raise BadUsage(f"{path}: unknown key {next(iter(said))!r}; it knows plugins = […] and a table [options]")
    if not isinstance(plugins, list) or not all(isinstance(plugin, str) for plugin in plugins):
        raise BadUsage(f'{path}: plugins must be a list of names, as in plugins = ["mylab.blur"]')
    if not isinstance(options, dict):
        raise BadUsage(f"{path}: options must be a table: [options]")
    return Config(
        str(path),
        tuple(_beside(path, plugin) for plugin in plugins),
        {name.replace("-", "_"): _as_typed(path, name, value) for name, value in options.items()},
    )


def _beside(path: Path, plugin: str) -> str:
    """A plugin's file lies where the config file says, wherever teravox is started."""
    return str(path.parent / Path(plugin).expanduser()) if plugin.endswith(".py") else plugin


def _as_typed(path: Path, name: str, value: Any) -> str:  # Any: whatever TOML holds
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        return ",".join(_as_typed(path, name, part) for part in value)
    raise BadUsage(f"{path}: the option {name!r} must be a text, a number, yes or no, or a list of these")
