"""Which SQS queue a URL means."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.secrets import redact, refuse_password

FAILED = "-failed"  # the dead letters of NAME lie in NAME-failed
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_AWS_HOST = re.compile(
    r"(?P<own>[a-z0-9.-]+\.)?sqs(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?"
)


class SqsAddress(NamedTuple):
    """A queue's name, and what its URL says about where it is."""

    name: str
    region: str | None = None
    endpoint: str | None = None
    url: str | None = None  # as SQS knows the queue


def parse(url: str) -> SqsAddress:
    """Read `sqs://NAME`, `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`, or such a URL at another host."""
    refuse_password(url)
    parts = urlsplit(url)
    if parts.scheme == "sqs" and parts.path in {"", "/"}:
        address = SqsAddress(parts.netloc)
    elif parts.scheme in {"http", "https"} and parts.path.count("/") == 2:
        aws = _AWS_HOST.fullmatch(parts.hostname or "")
        is_public = aws is not None and not aws["own"]
        address = SqsAddress(
            name=parts.path.rpartition("/")[2],
            region=aws["region"] if aws else None,
            endpoint=None if is_public else f"{parts.scheme}://{parts.netloc}",
            url=url,
        )
    else:
        address = SqsAddress("")
    if not _NAME.fullmatch(address.name + FAILED) or not address.name or parts.query or parts.fragment:
        raise BadUsage(
            f"{redact(url)} is no SQS queue: expected sqs://NAME or https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, "
            f"where NAME has at most {80 - len(FAILED)} letters, digits, - and _ (queues of the FIFO kind are not used)"
        )
    return address
