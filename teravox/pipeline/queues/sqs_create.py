"""Makes an SQS queue and the queue of its dead letters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from teravox.pipeline.queues.sqs_address import FAILED, parse
from teravox.pipeline.queues.sqs_errors import NoSuchQueue, in_words
from teravox.pipeline.queues.sqs_wire import connect

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

LONGEST_KEPT = 14 * 24 * 3600  # seconds; SQS drops messages after that


def create_sqs_queue(
    url: str, *, region: str | None = None, endpoint: str | None = None, lease_sec: int = 60, max_receive: int = 10
) -> str:
    """Make NAME and NAME-failed, or bring those that are there to these settings; the URL by which SQS knows NAME.

    Workers write the dead letters. Only what is received more than `max_receive` times without a word from any of
    them is moved by SQS itself, so that number must be well above `execute --tries`.
    """
    address = parse(url)
    client = connect(url, region or address.region, endpoint or address.endpoint)
    kept: dict[QueueAttributeNameType, str] = {"MessageRetentionPeriod": str(LONGEST_KEPT)}
    failed = _make(client, url, address.name + FAILED, kept)
    with in_words(url):
        arn = client.get_queue_attributes(QueueUrl=failed, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receive})
    return _make(client, url, address.name, {**kept, "VisibilityTimeout": str(lease_sec), "RedrivePolicy": redrive})


def _make(client: SQSClient, shown: str, name: str, attributes: dict[QueueAttributeNameType, str]) -> str:
    try:
        with in_words(shown):
            url = client.get_queue_url(QueueName=name)["QueueUrl"]
    except NoSuchQueue:
        with in_words(shown):
            return client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    with in_words(shown):
        client.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return url
