"""Options that mean something here and now only, or only with a queue: typed elsewhere, they are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from teravox.cli.errors import BadOption
from teravox.cli.given import Given

_ONLY_SQS = ("region", "endpoint_url")


def typed_here(given: Mapping[str, Given]) -> dict[str, str]:
    """The options that were typed for this command, as they were written; the environment is for many commands."""
    return {name: one.label for name, one in given.items() if one.by == "command line"}


def refuse_beside_queue(typed: Mapping[str, str], queue: str | None, names: Iterable[str]) -> None:
    """Refuse what is for workers to know, where a queue is given."""
    if queue is not None:
        for name in names:
            if name in typed:
                raise BadOption(f"{typed[name]}: means nothing with --queue; say it to `teravox execute`")


def refuse_without_sqs(typed: Mapping[str, str], queue: str | None) -> None:
    """Refuse what tells of an SQS queue, where there is none."""
    if queue is None or queue.startswith("fq://"):
        for name in _ONLY_SQS:
            if name in typed:
                raise BadOption(f"{typed[name]}: means nothing without an SQS queue in --queue")
