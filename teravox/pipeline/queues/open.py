"""Which queue a URL means."""

from __future__ import annotations

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.queues.contract import Queue


def open_queue(url: str, *, region: str | None = None, endpoint: str | None = None, create: bool = False) -> Queue:
    """The queue at a path, `fq://path`, `sqs://name` or the https URL of an SQS queue.

    `create` makes the folders of a folder queue; an SQS queue is made by `teravox queue create` alone.
    """
    scheme, _, rest = url.partition("://")
    if not rest:
        scheme, rest = "fq", url
    if scheme == "fq":
        from teravox.pipeline.queues.folder import FolderQueue

        return FolderQueue(rest, create=create)
    if scheme in {"sqs", "https", "http"}:
        from teravox.pipeline.queues.sqs import SqsQueue

        return SqsQueue(url, region=region, endpoint=endpoint)
    raise BadUsage(f"{scheme}:// is no queue; a queue is a folder, or sqs://NAME")
