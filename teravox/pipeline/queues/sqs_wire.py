"""One queue on SQS, as requests: batches of ten whose refused entries are sent again, errors in plain words."""

from __future__ import annotations

import functools
import math
import os
import random
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from teravox.pipeline.errors import BadUsage, Transient
from teravox.pipeline.queues.sqs_errors import THROTTLED, in_words
from teravox.pipeline.secrets import redact

if TYPE_CHECKING:
    from botocore.loaders import Loader
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef, SendMessageBatchRequestEntryTypeDef

BATCH = 10  # entries in a request
LONGEST_HIDDEN = 12 * 3600  # seconds that SQS hides a message at most
LONGEST_WAIT = 20  # seconds that SQS lets a request wait for messages
REPORT = "teravox.report"  # the message attribute that says why a task was given up
PATIENT = 8  # times that a new message is sent until that is given up
SIDE_BY_SIDE = 16  # requests at once; a Python process is busy with them at 15 ms each


class Received(NamedTuple):
    """A message as SQS handed it over."""

    name: str  # by SQS; the same at each receive
    body: str
    receipt: str
    receives: int
    report: str


class Settled(NamedTuple):
    """What became of the entries of a batch, by their places; the reasons of those that were not taken."""

    taken: set[int]
    refused: dict[int, str]  # sending them again would change nothing
    left: dict[int, str]  # SQS had trouble of its own each time


def connect(queue: str, region: str | None, endpoint: str | None) -> SQSClient:
    """A client; keys, region and endpoint that are not given are found where boto3 looks for them."""
    import boto3
    import botocore.session
    from botocore.config import Config

    config = Config(
        connect_timeout=10,
        read_timeout=LONGEST_WAIT + 10,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=SIDE_BY_SIDE,
    )
    try:
        with in_words(queue):
            core = botocore.session.get_session()
            core.register_component("data_loader", _descriptions(core.get_config_variable("data_path")))
            session = boto3.session.Session(botocore_session=core)
            found = region or session.region_name or os.environ.get("AWS_REGION")
            return session.client("sqs", region_name=found, endpoint_url=endpoint, config=config)
    except ValueError:  # what botocore makes of an endpoint that is no URL
        raise BadUsage(
            f"{queue}: the endpoint {redact(str(endpoint))}, or the one in AWS_ENDPOINT_URL_SQS, is no URL"
        ) from None


@functools.cache
def _descriptions(folders: str | None) -> Loader:
    """What AWS' services are, which takes a fifth of a second to read: a process does it once."""
    from botocore.loaders import create_loader

    return create_loader(folders)


class SqsWire:
    """The requests to one queue; `shown` is how its errors name it."""

    def __init__(self, client: SQSClient, url: str, shown: str, stopped: threading.Event) -> None:
        self._client = client
        self._url = url
        self._stopped = stopped
        self.shown = shown

    def send(self, messages: Sequence[tuple[str, str]]) -> Settled:
        """Add at most ten messages, each a body and a report or ''."""

        def entry(place: int) -> SendMessageBatchRequestEntryTypeDef:
            body, report = messages[place]
            if not report:
                return {"Id": str(place), "MessageBody": body}
            return {
                "Id": str(place),
                "MessageBody": body,
                "MessageAttributes": {REPORT: {"DataType": "String", "StringValue": report}},
            }

        return self._settle(
            len(messages),
            lambda places: self._client.send_message_batch(
                QueueUrl=self._url, Entries=[entry(place) for place in places]
            ),
            PATIENT,
        )

    def receive(self, seconds: float, most: int, wait: int) -> list[Received]:
        """Take up to ten messages and hide them for `seconds`; wait up to `wait` seconds for the first."""
        with in_words(self.shown):
            reply = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(most, BATCH),
                VisibilityTimeout=_whole(seconds),
                WaitTimeSeconds=min(wait, LONGEST_WAIT),
                AttributeNames=["ApproximateReceiveCount"],
                MessageAttributeNames=[REPORT],
            )
        return [
            Received(
                name=message["MessageId"],
                body=message["Body"],
                receipt=message["ReceiptHandle"],
                receives=int(message.get("Attributes", {}).get("ApproximateReceiveCount", "1")),
                report=_report(message),
            )
            for message in reply.get("Messages", ())
        ]

    def hide(self, receipts: Sequence[str], seconds: float) -> Settled:
        """Hide messages for `seconds` from now; SQS refuses receipts that no longer hold."""
        return self._settle(
            len(receipts),
            lambda places: self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(place), "ReceiptHandle": receipts[place], "VisibilityTimeout": _whole(seconds)}
                    for place in places
                ],
            ),
        )

    def delete(self, receipts: Sequence[str]) -> Settled:
        """Remove messages.

        With a receipt that no longer holds, AWS may say yes and keep the message; other servers refuse.
        """
        return self._settle(
            len(receipts),
            lambda places: self._client.delete_message_batch(
                QueueUrl=self._url,
                Entries=[{"Id": str(place), "ReceiptHandle": receipts[place]} for place in places],
            ),
        )

    def about(self) -> tuple[int, int, int]:
        """About how many messages are free, hidden and delayed; looking changes nothing."""
        with in_words(self.shown):
            reply = self._client.get_queue_attributes(
                QueueUrl=self._url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )
        number = reply["Attributes"]
        return (
            int(number["ApproximateNumberOfMessages"]),
            int(number["ApproximateNumberOfMessagesNotVisible"]),
            int(number["ApproximateNumberOfMessagesDelayed"]),
        )

    def purge(self) -> None:
        """Remove all messages; SQS takes up to a minute over it."""
        with in_words(self.shown):
            self._client.purge_queue(QueueUrl=self._url)

    def _settle(self, number: int, ask: Callable[[list[int]], Any], rounds: int = 3) -> Settled:
        """Ask about the entries at these places, ten by ten, until SQS has taken or refused each one of them.

        SQS answers 200 also when it took only some of a batch. The reply is Any: three batch calls have three types.
        """
        settled = Settled(set(), {}, dict.fromkeys(range(number), "no answer"))
        for n in range(rounds):
            for places in _tens(settled.left):
                try:
                    with in_words(self.shown):
                        reply = ask(places)
                except Transient as error:
                    settled.left.update(dict.fromkeys(places, str(error)))
                else:
                    _sort(reply, settled)
            pause = 0.05 * 2**n * random.uniform(0.5, 1.5)  # noqa: S311  # so that senders do not try again together
            if not settled.left or n == rounds - 1 or self._stopped.wait(pause):
                break
        return settled


def _report(message: MessageTypeDef) -> str:
    attribute = message.get("MessageAttributes", {}).get(REPORT)
    return attribute.get("StringValue", "") if attribute else ""


def _sort(reply: Any, settled: Settled) -> None:
    for entry in reply.get("Successful", ()):
        place = int(entry["Id"])
        settled.taken.add(place)
        settled.left.pop(place, None)
    for entry in reply.get("Failed", ()):
        place, code = int(entry["Id"]), entry["Code"].rpartition(".")[2]
        if entry["SenderFault"] and code not in THROTTLED:
            settled.refused[place] = code
            settled.left.pop(place, None)
        else:
            settled.left[place] = code


def _whole(seconds: float) -> int:
    """Seconds as SQS counts them: whole, and at most twelve hours."""
    return min(math.ceil(seconds), LONGEST_HIDDEN)


def _tens(places: Iterable[int]) -> list[list[int]]:
    all = list(places)
    return [all[at : at + BATCH] for at in range(0, len(all), BATCH)]
