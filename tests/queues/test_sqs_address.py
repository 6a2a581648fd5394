"""The URLs of SQS queues."""

from __future__ import annotations

import pytest

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.queues.sqs_address import SqsAddress, parse


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqs://cells", SqsAddress("cells")),
        ("sqs://cells-2_B/", SqsAddress("cells-2_B")),
        (
            "https://sqs.eu-central-1.amazonaws.com/123456789012/cells",
            SqsAddress("cells", "eu-central-1", None, "https://sqs.eu-central-1.amazonaws.com/123456789012/cells"),
        ),
        (
            "https://sqs.cn-north-1.amazonaws.com.cn/1/cells",
            SqsAddress("cells", "cn-north-1", None, "https://sqs.cn-north-1.amazonaws.com.cn/1/cells"),
        ),
        (
            "https://vpce-1a2b.sqs.us-east-2.vpce.amazonaws.com/1/cells",
            SqsAddress(
                "cells",
                "us-east-2",
                "https://vpce-1a2b.sqs.us-east-2.vpce.amazonaws.com",
                "https://vpce-1a2b.sqs.us-east-2.vpce.amazonaws.com/1/cells",
            ),
        ),
        (
            "http://127.0.0.1:4566/000000000000/cells",
            SqsAddress("cells", None, "http://127.0.0.1:4566", "http://127.0.0.1:4566/000000000000/cells"),
        ),
    ],
)
def test_a_url_says_name_region_and_endpoint(url: str, expected: SqsAddress) -> None:
    assert parse(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "sqs://",
        "sqs://a/b",
        "sqs://a b",
        "sqs://cells.fifo",
        "sqs://" + "a" * 74,
        "sqs://cells?x=1",
        "https://sqs.eu-central-1.amazonaws.com/cells",
        "https://sqs.eu-central-1.amazonaws.com/1/",
        "https://sqs.eu-central-1.amazonaws.com/1/cells#x",
        "ftp://host/1/cells",
    ],
)
def test_what_is_no_queue_is_refused_with_the_forms_that_are(url: str) -> None:
    with pytest.raises(BadUsage, match=r"expected sqs://NAME or https://sqs\.REGION"):
        parse(url)


def test_a_url_with_a_password_is_refused_and_not_shown() -> None:
    with pytest.raises(BadUsage) as trouble:
        parse("https://bob:hunter2hunter2@127.0.0.1/1/cells")
    assert "hunter2" not in str(trouble.value)


def test_the_longest_name_leaves_room_for_that_of_the_dead_letters() -> None:
    assert parse("sqs://" + "a" * 73).name == "a" * 73
