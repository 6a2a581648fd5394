"""The options that every command has; they may stand before the command's words too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

import msgspec

from teravox.cli.errors import BadOption
from teravox.cli.fields import fields_of
from teravox.pipeline.options import says


class General(msgspec.Struct, frozen=True, kw_only=True):
    """What every command takes."""

    plugin: Annotated[
        tuple[str, ...], says("Module, package or .py file with kinds of your own; may be given several times.")
    ] = ()
    config: Annotated[str | None, says("TOML file to use in place of ~/.config/teravox/config.toml.", form="path")] = (
        None
    )
    help: Annotated[bool, says("Say what a command does and takes.", short="h")] = False
    version: Annotated[bool, says("Say which teravox this is.")] = False


FIELDS = fields_of(General)


class Opening(NamedTuple):
    """A command line without its general options."""

    words: tuple[str, ...]
    plugins: tuple[str, ...]
    config: str | None
    wants_help: bool
    wants_version: bool


def take_general(words: Sequence[str], environ: Mapping[str, str]) -> Opening:
    """Take the general options out of a command line, wherever they stand; after `--` nothing is an option."""
    rest: list[str] = []
    texts: dict[str, list[str]] = {"--plugin": [], "--config": []}
    flags = set()
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        option, is_joined, text = word.partition("=")
        if word == "--":
            rest += words[at - 1 :]
            break
        if option in texts:
            if not is_joined:
                if at == len(words):
                    raise BadOption(f"{option}: expected a value after it, got nothing")
                text = words[at]
                at += 1
            texts[option].append(text)
        elif word in {"--help", "-h", "--version"}:
            flags.add(word)
        else:
            rest.append(word)
    plugins = texts["--plugin"] or [environ.get("TERAVOX_PLUGIN", "")]
    return Opening(
        words=tuple(rest),
        plugins=tuple(part.strip() for text in plugins for part in text.split(",") if part.strip()),
        config=(texts["--config"] or [environ.get("TERAVOX_CONFIG", "")])[-1] or None,
        wants_help=bool(flags & {"--help", "-h"}),
        wants_version="--version" in flags,
    )
