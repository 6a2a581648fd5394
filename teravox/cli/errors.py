"""What is wrong with an option."""

from __future__ import annotations

from teravox.pipeline.errors import BadUsage


class BadOption(BadUsage):
    """An option cannot be meant; `command` is the one whose help tells more."""

    def __init__(self, text: str, command: str = "") -> None:
        super().__init__(text)
        self.command = command
