"""What is special about SQS: half-accepted batches, limits, throttling, redrive, and looks that change nothing."""

from __future__ import annotations

import collections
import random
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from queues.conftest import use_sqs
from queues.subject import PATIENCE, entry, failure, put
from servers.sqs_proxy import Answer, Forward, Payload, SqsProxy, error
from servers.sqs_server import SqsServer

from teravox.pipeline.errors import CannotSay, QueueTrouble, TeravoxError, Transient
from teravox.pipeline.message import MOST_BYTES
from teravox.pipeline.queues import sqs, sqs_dead, sqs_wire
from teravox.pipeline.queues.contract import Entry, Inserted, Lease, State
from teravox.pipeline.queues.sqs import SqsQueue, create_sqs_queue

SEND = "SendMessageBatch"
MAIN_STATES: tuple[State, ...] = ("waiting", "paused", "leased")


@pytest.fixture
def proxy(ministack_server: SqsServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqsProxy]:
    with SqsProxy(ministack_server).serving() as proxy:
        use_sqs(proxy.server, monkeypatch)
        monkeypatch.setattr(sqs_dead, "LAST_LOOK", 0)
        monkeypatch.setattr(sqs, "BETWEEN_LOOKS", 0.01)
        yield proxy


@pytest.fixture
def url(proxy: SqsProxy) -> str:
    url = f"sqs://trial-{secrets.token_hex(6)}"
    create_sqs_queue(url)
    return url


@pytest.fixture
def queue(url: str) -> Iterator[SqsQueue]:
    queue = SqsQueue(url)
    yield queue
    queue.close()


@pytest.fixture
def aws(proxy: SqsProxy) -> Iterator[Any]:
    """A plain client, for what our queues never do; Any, as the stubs of boto3 are only there for lint."""
    import boto3

    client = boto3.client("sqs")
    yield client
    client.close()


def refuse_some(
    payload: Payload, forward: Forward, chosen: Callable[[Payload], bool], code: str, *, sender: bool
) -> Answer:
    """Let the server see a batch without the chosen entries, and say that they failed."""
    failed = [each for each in payload["Entries"] if chosen(each)]
    kept = [each for each in payload["Entries"] if not chosen(each)]
    status, reply = forward({**payload, "Entries": kept}) if kept else (200, {"Successful": []})
    reply.setdefault("Failed", []).extend({"Id": each["Id"], "Code": code, "SenderFault": sender} for each in failed)
    return status, reply


def drain(queue: SqsQueue) -> list[Lease]:
    came: list[Lease] = []
    while leases := queue.lease(600.0, 10):
        came += leases
    return came


# insert


def test_entries_that_a_reply_refuses_are_sent_again_until_each_task_is_there_once(
    proxy: SqsProxy, queue: SqsQueue
) -> None:
    dice = random.Random(1)

    def conduct(action: str, payload: Payload, forward: Forward) -> Answer:
        if action != SEND:
            return forward(payload)
        chosen = {each["Id"] for each in payload["Entries"] if dice.random() < 0.1}
        return refuse_some(payload, forward, lambda each: each["Id"] in chosen, "InternalError", sender=False)

    proxy.conduct = conduct
    steps: list[int] = []
    assert queue.insert((entry(n) for n in range(1000)), steps.append) == Inserted(new=1000, known=0)
    assert sum(steps) == 1000
    assert len(proxy.requests(SEND)) > 100
    assert sorted(lease.id for lease in drain(queue)) == sorted(entry(n).id for n in range(1000))


@pytest.mark.parametrize("answer", [(500, {}), (503, {}), error("RequestThrottled"), error("ThrottlingException")])
def test_faults_of_the_server_and_throttling_are_waited_out(proxy: SqsProxy, queue: SqsQueue, answer: Answer) -> None:
    asked = 0

    def conduct(action: str, payload: Payload, forward: Forward) -> Answer:
        nonlocal asked
        asked += action == SEND
        return answer if action == SEND and asked % 5 == 1 else forward(payload)

    proxy.conduct = conduct
    put(queue, [entry(n) for n in range(100)])
    assert sorted(lease.id for lease in drain(queue)) == sorted(entry(n).id for n in range(100))


def test_a_task_that_sqs_refuses_ends_the_insert_with_counts_and_the_reason(proxy: SqsProxy, queue: SqsQueue) -> None:
    bad = entry(40)
    read = 0

    def entries() -> Iterator[Entry]:
        nonlocal read
        for n in range(2000):
            read += 1
            yield entry(n)

    def conduct(action: str, payload: Payload, forward: Forward) -> Answer:
        if action != SEND:
            return forward(payload)
        return refuse_some(payload, forward, lambda each: bad.id in each["MessageBody"], "InvalidChars", sender=True)

    proxy.conduct = conduct
    steps: list[int] = []
    with pytest.raises(QueueTrouble, match=r"(\d+) tasks were stored, then SQS refused 1: InvalidChars") as trouble:
        queue.insert(entries(), steps.append)
    assert f" {sum(steps)} tasks" in str(trouble.value)
    assert len(drain(queue)) == sum(steps)
    assert read < 300


def test_a_body_that_the_server_itself_refuses_is_reported(queue: SqsQueue) -> None:
    with pytest.raises(QueueTrouble, match=r"1 tasks were stored, then SQS refused 1"):
        put(queue, [entry(0), Entry(entry(1).id, b'{"text": "\x00"}')])


def test_entries_that_stay_refused_are_given_up_with_counts(
    proxy: SqsProxy, queue: SqsQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqs_wire, "PATIENT", 2)

    def conduct(action: str, payload: Payload, forward: Forward) -> Answer:
        if action != SEND:
            return forward(payload)
        return refuse_some(payload, forward, lambda each: each["Id"] in "37", "InternalError", sender=False)

    proxy.conduct = conduct
    with pytest.raises(QueueTrouble, match=r"8 tasks were stored, then 2 could not be: InternalError"):
        put(queue, [entry(n) for n in range(10)])
    assert [len(each["Entries"]) for each in proxy.requests(SEND)] == [10, 2]


def refuse_long_batches(action: str, payload: Payload, forward: Forward) -> Answer:
    sizes = [len(each["MessageBody"].encode()) for each in payload.get("Entries", ()) if action == SEND]
    return error("BatchRequestTooLong") if sum(sizes) > 256 * 1024 else forward(payload)


def test_batches_are_split_by_size(proxy: SqsProxy, queue: SqsQueue) -> None:
    proxy.conduct = refuse_long_batches
    big = [entry(n, size=150 * 1024) for n in range(9)]
    small = [entry(n, size=30 * 1024) for n in range(9, 29)]
    assert queue.insert([*big, *small], lambda _: None).new == 29
    assert [len(each["Entries"]) for each in proxy.requests(SEND)].count(1) >= 8
    assert {lease.id: lease.body for lease in drain(queue)} == {each.id: each.body for each in (*big, *small)}


def test_several_batches_are_under_way_at_once(proxy: SqsProxy, queue: SqsQueue) -> None:
    together = threading.Barrier(4)

    def conduct(action: str, payload: Payload, forward: Forward) -> Answer:
        if action == SEND:
            together.wait(PATIENCE)  # none of four is answered before all of them were asked
        return forward(payload)

    proxy.conduct = conduct
    assert queue.insert([entry(n) for n in range(80)], lambda _: None).new == 80


def test_ctrl_c_does_not_wait_for_requests_that_hang(proxy: SqsProxy, queue: SqsQueue) -> None:
    stored = 0
    may_go_on = threading.Event()

    def conduct(action: str, payload: Payload, forward: Forward) -> Answer:
        if action == SEND and len(proxy.requests(SEND)) > 3:
            may_go_on.wait(PATIENCE)
        return forward(payload)

    def progress(number: int) -> None:
        nonlocal stored
        stored += number
        if stored == 30:
            raise KeyboardInterrupt

    proxy.conduct = conduct
    try:
        with pytest.raises(KeyboardInterrupt):
            queue.insert((entry(n) for n in range(10_000)), progress)
        assert not may_go_on.is_set()
        assert len(proxy.requests(SEND)) > 3
    finally:
        may_go_on.set()


def test_two_submitters_store_every_task_of_both(queue: SqsQueue, url: str) -> None:
    other = SqsQueue(url)
    submitters = [
        threading.Thread(target=put, args=(each, [entry(n) for n in range(start, start + 300)]))
        for each, start in ((queue, 0), (other, 200))
    ]
    for submitter in submitters:
        submitter.start()
    for submitter in submitters:
        submitter.join()
    other.close()
    copies = collections.Counter(lease.id for lease in drain(queue))
    assert copies == {entry(n).id: 1 + (200 <= n < 300) for n in range(500)}


# leases


def test_a_request_asks_for_no_more_than_sqs_allows(proxy: SqsProxy, queue: SqsQueue) -> None:
    put(queue, [entry(n) for n in range(20)])
    leases = queue.lease(1e6, 50, wait=100.0)
    queue.renew(leases, 1e6)
    assert queue.release(leases[0], pause=1e6)
    (asked,) = proxy.requests("ReceiveMessage")
    assert (asked["MaxNumberOfMessages"], asked["VisibilityTimeout"], asked["WaitTimeSeconds"]) == (10, 43_200, 20)
    hidden = [each for call in proxy.requests("ChangeMessageVisibilityBatch") for each in call["Entries"]]
    assert {each["VisibilityTimeout"] for each in hidden} == {43_200}


@pytest.mark.parametrize(("seconds", "asked"), [(0.2, 1), (1.0, 1), (1.2, 2), (59.5, 60)])
def test_a_lease_lasts_no_shorter_than_it_was_asked_for(
    proxy: SqsProxy, queue: SqsQueue, seconds: float, asked: int
) -> None:
    queue.lease(seconds)
    assert proxy.requests("ReceiveMessage")[-1]["VisibilityTimeout"] == asked


def test_a_lease_that_reaches_twelve_hours_is_lost_and_the_others_are_not(proxy: SqsProxy, queue: SqsQueue) -> None:
    put(queue, [entry(n) for n in range(3)])
    leases = [*queue.lease(600.0, 10)]
    old = leases[1]

    def conduct(action: str, payload: Payload, forward: Forward) -> Answer:
        if action != "ChangeMessageVisibilityBatch":
            return forward(payload)
        return refuse_some(
            payload,
            forward,
            lambda each: each["ReceiptHandle"] == old.token and each["VisibilityTimeout"] > 0,
            "InvalidParameterValue",  # "Total VisibilityTimeout for the message is beyond the limit"
            sender=True,
        )

    proxy.conduct = conduct
    renewed = queue.renew(leases, 600.0)
    assert [lease is None for lease in renewed] == [False, True, False]
    assert queue.release(old, pause=30.0)  # which is then at once
    assert [lease.id for lease in queue.lease(600.0, 10)] == [old.id]


def test_done_asks_again_about_entries_that_failed(proxy: SqsProxy, queue: SqsQueue) -> None:
    put(queue, [entry(n) for n in range(5)])
    leases = queue.lease(600.0, 10)
    asked = 0

    def conduct(action: str, payload: Payload, forward: Forward) -> Answer:
        nonlocal asked
        if action != "DeleteMessageBatch":
            return forward(payload)
        asked += 1
        return refuse_some(
            payload, forward, lambda each: asked <= 4 and each["Id"] in "13", "InternalError", sender=False
        )

    proxy.conduct = conduct
    with pytest.raises(Transient, match="finished tasks could not be removed: InternalError"):
        queue.done(leases)
    assert queue.done(leases) == [True] * 5
    assert queue.is_empty()


def test_a_lease_that_ran_out_by_our_clock_is_lost_though_the_server_would_say_yes(
    proxy: SqsProxy, queue: SqsQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(queue, [entry(0)])
    (lease,) = queue.lease(600.0)
    monkeypatch.setattr(sqs, "steady_time", lambda: lease.deadline + 1)
    before = len(proxy.calls)
    assert queue.done([lease]) == [False]
    assert queue.renew([lease], 60.0) == [None]
    assert not queue.release(lease)
    assert not queue.fail(lease, failure())
    assert len(proxy.calls) == before


def test_a_task_that_came_after_close_is_given_back(proxy: SqsProxy, queue: SqsQueue, url: str) -> None:
    may_answer = threading.Event()
    is_asked = threading.Event()

    def conduct(action: str, payload: Payload, forward: Forward) -> Answer:
        answer = forward(payload)
        if action == "ReceiveMessage" and payload["WaitTimeSeconds"]:
            is_asked.set()
            may_answer.wait(PATIENCE)
        return answer

    put(queue, [entry(0)])
    proxy.conduct = conduct
    came: list[list[Lease]] = []
    waiter = threading.Thread(target=lambda: came.append(queue.lease(600.0, 1, wait=10.0)))
    waiter.start()
    assert is_asked.wait(PATIENCE)
    queue.close()
    waiter.join(PATIENCE)
    assert came == [[]]
    may_answer.set()
    other = SqsQueue(url)
    (lease,) = other.lease(600.0, 1, wait=20.0)
    other.close()
    assert (lease.id, lease.attempt) == (entry(0).id, 2)


@pytest.mark.parametrize(
    "body",
    [" ", "x", "[]", "{}", '{"id": 7}', '{"id": "../../etc/passwd"}', '{"id": "' + "A" * 32 + '"}', "\ud7ff" * 9],
)
def test_a_message_that_is_no_task_is_leased_under_the_name_that_sqs_gave_it(
    aws: Any, queue: SqsQueue, url: str, body: str
) -> None:
    sent = aws.send_message(QueueUrl=aws.get_queue_url(QueueName=url[6:])["QueueUrl"], MessageBody=body)
    (lease,) = queue.lease(600.0)
    assert (lease.id, lease.body) == (sent["MessageId"], body.encode())
    assert queue.fail(lease, failure())
    assert [letter.body for letter in queue.dead()] == [body.encode()]


# dead letters


def test_looking_never_takes_a_task_from_the_queue(proxy: SqsProxy, queue: SqsQueue, url: str) -> None:
    put(queue, [entry(0), entry(1)])
    (dead,) = queue.lease(600.0)
    assert queue.fail(dead, failure())
    before = len(proxy.calls)
    queue.counts()
    queue.is_empty()
    assert len(list(queue.dead())) == 1
    assert queue.retry(lambda _: False) == 0
    for look in (queue.tasks, queue.release_all, lambda: list(queue.messages()), lambda: queue.purge(["waiting"])):
        with pytest.raises(CannotSay):
            look()
    received = [call["QueueUrl"] for action, call in proxy.calls[before:] if action == "ReceiveMessage"]
    assert received
    assert all(each.endswith(f"{url[6:]}-failed") for each in received)
    (lease,) = queue.lease(600.0)
    assert lease.attempt == 1


def test_dead_letters_are_free_again_when_somebody_stops_looking_half_way(queue: SqsQueue) -> None:
    put(queue, [entry(n) for n in range(25)])
    for lease in drain(queue):
        assert queue.fail(lease, failure())
    letters = queue.dead()
    next(letters)
    letters.close()  # type: ignore[attr-defined]  # it is a generator, as the contract need not say
    assert len(list(queue.dead())) == 25


def test_a_dead_letter_that_was_stored_more_than_once_is_one(queue: SqsQueue) -> None:
    put(queue, [entry(0)] * 12)
    for lease in drain(queue):
        assert queue.fail(lease, failure())
    assert [letter.id for letter in queue.dead()] == [entry(0).id]
    assert queue.retry(lambda _: True) == 1
    assert [lease.id for lease in drain(queue)] == [entry(0).id]
    assert list(queue.dead()) == []


def test_long_tasks_are_put_back_in_batches_that_sqs_takes(proxy: SqsProxy, queue: SqsQueue) -> None:
    proxy.conduct = refuse_long_batches
    entries = [entry(n, size=100 * 1024) for n in range(5)]
    put(queue, entries)
    for lease in drain(queue):
        assert queue.fail(lease, failure())
    assert queue.retry(lambda _: True) == 5
    assert {lease.id: lease.body for lease in drain(queue)} == {each.id: each.body for each in entries}


def test_a_report_is_cut_until_the_dead_letter_fits(proxy: SqsProxy, queue: SqsQueue) -> None:
    put(queue, [entry(0, size=200 * 1024)])
    (lease,) = queue.lease(600.0)
    report = failure(traceback="first" + "\x1b" * 300_000 + "last", log=tuple(f"line {n}" for n in range(9_000)))
    assert queue.fail(lease, report)
    (sent,) = proxy.requests(SEND)[-1]["Entries"]
    size = len(sent["MessageBody"].encode())
    for name, attribute in sent["MessageAttributes"].items():
        assert attribute["StringValue"].isascii()  # AWS refuses some of the other characters
        size += len(name) + len(attribute["DataType"]) + len(attribute["StringValue"])
    assert 200 * 1024 < size <= MOST_BYTES
    (letter,) = queue.dead()
    (left,) = letter.failures
    assert letter.body == lease.body
    assert (left.error, left.text, left.host) == (report.error, report.text, report.host)
    assert left.traceback.endswith("last")
    assert left.log[-1] == "line 8999"


def test_a_task_that_leaves_no_room_for_a_report_is_a_dead_letter_without_one(queue: SqsQueue) -> None:
    body = entry(0, size=MOST_BYTES - 200).body
    put(queue, [Entry(entry(0).id, body)])
    (lease,) = queue.lease(600.0)
    assert queue.fail(lease, failure())
    (letter,) = queue.dead()
    assert (letter.id, letter.body, letter.attempts, letter.failures) == (entry(0).id, body, 0, ())


def test_a_task_that_sqs_itself_moved_is_a_dead_letter_without_a_report(queue: SqsQueue, url: str) -> None:
    create_sqs_queue(url, max_receive=2)
    put(queue, [entry(0)])
    for attempt in (1, 2):
        (lease,) = queue.lease(600.0)
        assert lease.attempt == attempt
        assert queue.release(lease)
    assert queue.lease(600.0) == []
    (letter,) = queue.dead()
    assert (letter.id, letter.body, letter.attempts, letter.failures) == (entry(0).id, entry(0).body, 0, ())
    assert queue.retry(lambda _: True) == 1
    assert [(lease.id, lease.attempt) for lease in queue.lease(600.0)] == [(entry(0).id, 1)]


def test_nobody_else_gets_a_task_while_it_becomes_a_dead_letter(proxy: SqsProxy, queue: SqsQueue, url: str) -> None:
    put(queue, [entry(0)])
    (lease,) = queue.lease(5.0)
    other = SqsQueue(url)
    seen: list[list[Lease]] = []

    def conduct(action: str, payload: Payload, forward: Forward) -> Answer:
        if action == SEND:
            hidden = proxy.requests("ChangeMessageVisibilityBatch")[-1]["Entries"]
            assert hidden[0]["VisibilityTimeout"] >= 30
            seen.append(other.lease(60.0))
        return forward(payload)

    proxy.conduct = conduct
    assert queue.fail(lease, failure())
    other.close()
    assert seen == [[]]


# counts, purge


def test_a_queue_is_empty_only_when_all_looks_agree(proxy: SqsProxy, queue: SqsQueue) -> None:
    looks = 0

    def conduct(action: str, payload: Payload, forward: Forward) -> Answer:
        nonlocal looks
        status, reply = forward(payload)
        if action == "GetQueueAttributes":
            looks += 1
            if looks == 3:
                reply["Attributes"]["ApproximateNumberOfMessagesDelayed"] = "1"
        return status, reply

    proxy.conduct = conduct
    assert not queue.is_empty()
    assert looks == 3
    assert queue.is_empty()


def test_a_second_purge_within_a_minute_says_so(proxy: SqsProxy, queue: SqsQueue) -> None:
    proxy.conduct = lambda action, payload, forward: (
        error("PurgeQueueInProgress") if action == "PurgeQueue" else forward(payload)
    )
    with pytest.raises(Transient, match="once a minute"):
        queue.purge(MAIN_STATES)


# opening, creating, errors


def test_a_missing_queue_is_named_with_the_command_that_makes_it(proxy: SqsProxy) -> None:
    with pytest.raises(QueueTrouble, match=r"no SQS queue nowhere at http.*: teravox queue create sqs://nowhere$"):
        SqsQueue("sqs://nowhere")


def test_a_queue_without_one_for_its_dead_letters_is_refused(aws: Any, proxy: SqsProxy) -> None:
    name = f"half-{secrets.token_hex(4)}"
    aws.create_queue(QueueName=name)
    with pytest.raises(QueueTrouble, match=f"dead letters, {name}-failed .* teravox queue create sqs://{name}$"):
        SqsQueue(f"sqs://{name}")
    create_sqs_queue(f"sqs://{name}")
    SqsQueue(f"sqs://{name}").close()


def test_a_queue_is_opened_by_its_whole_url(proxy: SqsProxy, queue: SqsQueue, url: str) -> None:
    whole = create_sqs_queue(url)
    other = SqsQueue(whole)
    put(other, [entry(0)])
    (lease,) = queue.lease(60.0)
    assert queue.fail(lease, failure())
    assert [letter.id for letter in other.dead()] == [entry(0).id]
    assert other.url == whole
    other.close()


def test_create_makes_both_queues_and_may_be_repeated_with_other_settings(aws: Any, proxy: SqsProxy) -> None:
    name = f"made-{secrets.token_hex(4)}"
    first = create_sqs_queue(f"sqs://{name}")
    put(opened := SqsQueue(f"sqs://{name}"), [entry(0)])
    again = create_sqs_queue(f"sqs://{name}", lease_sec=90, max_receive=20)
    assert first == again
    attributes = aws.get_queue_attributes(QueueUrl=first, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "90"
    assert '"maxReceiveCount": 20' in attributes["RedrivePolicy"]
    assert f"{name}-failed" in attributes["RedrivePolicy"]
    assert attributes["MessageRetentionPeriod"] == str(14 * 24 * 3600)
    assert opened.counts().waiting == 1
    opened.close()


def test_the_endpoint_may_be_given_by_hand(proxy: SqsProxy, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_SQS")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    queue = SqsQueue(url, region="us-east-1", endpoint=proxy.server.endpoint)
    assert queue.counts().waiting == 0
    queue.close()


SECRET = "planted/" + "S3cr3t" * 5


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (error("AccessDeniedException", f"key {SECRET}", 403), QueueTrouble, "do not allow sqs:SendMessage"),
        (error("InvalidClientTokenId", f"key {SECRET}", 403), QueueTrouble, "does not accept these credentials"),
        (error("SignatureDoesNotMatch", f"key {SECRET}", 403), QueueTrouble, "does not accept these credentials"),
        (error("ExpiredToken", f"key {SECRET}", 403), QueueTrouble, "out of date"),
        (error("AWS.SimpleQueueService.NonExistentQueue"), QueueTrouble, "no SQS queue"),
        (error("KMS.AccessDeniedException"), QueueTrouble, "do not allow"),
        (error("SomethingNew", f"key {SECRET}"), QueueTrouble, "refuses sqs:SendMessage .SomethingNew"),
    ],
)
def test_what_aws_refuses_is_said_in_plain_words_and_without_keys(
    proxy: SqsProxy,
    queue: SqsQueue,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    kind: type[TeravoxError],
    words: str,
) -> None:
    proxy.conduct = lambda action, payload, forward: answer if action == SEND else forward(payload)
    with pytest.raises(kind, match=words) as trouble:
        put(queue, [entry(0)])
    assert SECRET not in f"{trouble.value!s} {trouble.value!r} {queue!r} {vars(queue)}"
    assert trouble.value.__cause__ is None


def test_missing_credentials_are_named(proxy: SqsProxy, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(QueueTrouble, match="no AWS credentials were found"):
        SqsQueue(url)


def test_a_missing_region_is_named(proxy: SqsProxy, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(QueueTrouble, match="in which AWS region"):
        SqsQueue(url)


def test_a_profile_that_is_not_there_is_named(proxy: SqsProxy, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(QueueTrouble, match="AWS_PROFILE"):
        SqsQueue(url)


def test_a_server_that_is_away_is_a_trouble_that_may_pass(queue: SqsQueue, proxy: SqsProxy) -> None:
    proxy.conduct = lambda _action, _payload, _forward: (502, {})
    with pytest.raises(Transient, match="HTTP 502"):
        queue.lease(60.0)
    with pytest.raises(Transient, match="could not be reached"):
        SqsQueue("sqs://any", endpoint="http://127.0.0.1:1")
